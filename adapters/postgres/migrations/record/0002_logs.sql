-- The two logs: events as they are kept for ever, the head that orders them, idempotency keys and reservations.
-- for each LOG in: record_log, access_log
CREATE SCHEMA LOG;

-- Parts are ciphertext and do not compress. Nothing about a person, an actor or a date of effect stands in clear.
CREATE TABLE LOG.event (
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_id    uuid        NOT NULL,
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    format      smallint    NOT NULL,
    period      integer     NOT NULL,
    identity    bytea       STORAGE EXTERNAL NOT NULL,
    content     bytea       STORAGE EXTERNAL NOT NULL,
    metadata    bytea       STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (stream_id, version)
) PARTITION BY HASH (stream_id);

-- Serves reading the tail: WHERE position > … ORDER BY position.
CREATE INDEX event_position ON LOG.event (position);

-- One row, locked by every append until it commits: so position order is commit order, and positions are dense.
-- Its page is kept nearly empty so that each new version of the row finds room beside the old.
CREATE TABLE LOG.head (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint      NOT NULL,
    recorded_at timestamptz CHECK (recorded_at IS NOT NULL OR position = 0)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);
INSERT INTO LOG.head (position) VALUES (0);

-- A key names a command, or a line of a feed; it points at the last event that was appended under it, if any was.
CREATE TABLE LOG.idempotency (
    key       bytea   PRIMARY KEY,
    stream_id uuid,
    version   integer,
    batch     uuid
);
-- Serves withdrawing a file.
CREATE INDEX idempotency_batch ON LOG.idempotency (batch) WHERE batch IS NOT NULL;

CREATE FUNCTION LOG.deny() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the log is never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON LOG.event FOR EACH ROW EXECUTE FUNCTION LOG.deny();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON LOG.event FOR EACH STATEMENT EXECUTE FUNCTION LOG.deny();
ALTER TABLE LOG.event ENABLE ALWAYS TRIGGER never_emptied;

DO $$
DECLARE
    part text;
BEGIN
    FOR remainder IN 0 .. 31 LOOP
        part := format('event_%s', lpad(remainder::text, 2, '0'));
        EXECUTE format('CREATE TABLE LOG.%I PARTITION OF LOG.event FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
                       part, remainder);
        -- A statement trigger is not inherited: a partition could be emptied by its own name.
        EXECUTE format('CREATE TRIGGER never_emptied BEFORE TRUNCATE ON LOG.%I FOR EACH STATEMENT '
                       'EXECUTE FUNCTION LOG.deny()', part);
        EXECUTE format('ALTER TABLE LOG.%I ENABLE ALWAYS TRIGGER never_emptied', part);
    END LOOP;
END
$$;
-- ALWAYS: they fire even where session_replication_role is replica. It goes down to every partition.
ALTER TABLE LOG.event ENABLE ALWAYS TRIGGER never_changed;

CREATE TRIGGER never_emptied BEFORE DELETE OR TRUNCATE ON LOG.head FOR EACH STATEMENT EXECUTE FUNCTION LOG.deny();
ALTER TABLE LOG.head ENABLE ALWAYS TRIGGER never_emptied;
