-- The way into a log for what nearly every command is: one or more events on one stream, with or without a key.
-- for each LOG in: record_log, access_log
--
-- The same as LOG.append with these values as arrays of one group, and answers with that group's row. It does so in a
-- third of the statements: no arrays to go through, the key looked up by storing it, and no savepoint, because what the
-- unique indexes would refuse is found beforehand under the head row. Whatever is not as usual is left to LOG.append,
-- which alone says what is in the way.
CREATE FUNCTION LOG.append_one(
    not_before  timestamptz,
    group_key   bytea,
    group_batch uuid,
    stream      uuid,
    expected    integer,
    format      smallint,
    period      integer,
    event_ids   uuid[],
    identities  bytea[],
    contents    bytea[],
    metadatas   bytea[],
    OUT outcome smallint, OUT first_position bigint, OUT last_position bigint, OUT recorded_at timestamptz,
    OUT stream_id uuid, OUT version integer
)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET lock_timeout = '30s'
AS $$
#variable_conflict use_column
DECLARE
    total CONSTANT integer := cardinality(event_ids);
    before    bigint;    -- the head as it was
    before_at timestamptz;
    at_time   timestamptz;
    version_now integer;
    usual     boolean := true;
BEGIN
    IF expected < 0 OR total = 0 OR total IS DISTINCT FROM cardinality(identities)
        OR total IS DISTINCT FROM cardinality(contents) OR total IS DISTINCT FROM cardinality(metadatas)
    THEN
        RAISE EXCEPTION 'the arrays of an append do not fit together' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- From here to the commit nobody else appends, as in LOG.append. A given time counts in a training home only.
    UPDATE LOG.head AS h
    SET position = h.position + total,
        recorded_at = greatest(h.recorded_at, CASE WHEN not_before IS NOT NULL AND (SELECT training FROM home.home)
                                                   THEN not_before ELSE clock_timestamp() END)
    RETURNING old.position, old.recorded_at, new.recorded_at INTO before, before_at, at_time;

    SELECT x.version INTO version_now FROM LOG.event AS x WHERE x.stream_id = stream ORDER BY x.version DESC LIMIT 1;
    usual := coalesce(version_now, 0) = expected;
    IF usual AND group_key IS NOT NULL THEN
        INSERT INTO LOG.idempotency (key, stream_id, version, batch)
        VALUES (group_key, stream, expected + total, group_batch)
        ON CONFLICT DO NOTHING;
        usual := FOUND;
    END IF;

    IF usual THEN
        FOR n IN 1 .. total LOOP
            INSERT INTO LOG.event (position, recorded_at, event_id, stream_id, version, format, period,
                                   identity, content, metadata)
            VALUES (before + n, at_time, event_ids[n], stream, expected + n, append_one.format, append_one.period,
                    identities[n], contents[n], metadatas[n]);
        END LOOP;
        outcome := 0;
        first_position := before + 1;
        last_position := before + total;
        recorded_at := at_time;
    ELSE
        UPDATE LOG.head SET position = before, recorded_at = before_at;
        SELECT a.* INTO outcome, first_position, last_position, recorded_at, stream_id, version
        FROM LOG.append(not_before, ARRAY[group_key], ARRAY[group_batch], ARRAY[total], ARRAY[1], ARRAY[stream],
                        ARRAY[expected], event_ids, array_fill(stream, ARRAY[total]),
                        ARRAY(SELECT generate_series(expected + 1, expected + total)),
                        array_fill(append_one.format, ARRAY[total]), array_fill(append_one.period, ARRAY[total]),
                        identities, contents, metadatas, ARRAY[0], '{}', '{}') AS a;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION LOG.append_one FROM PUBLIC;
