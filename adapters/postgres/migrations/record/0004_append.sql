-- The only way into a log: one function, run as the owner, that gives positions and times under the head row.
-- for each LOG in: record_log, access_log
--
-- A call carries one or more groups (one per command). Each group is applied whole or not at all, and says what became
-- of it; none fails another. Elements of one group stand together in every array; group_ends, expected_ends and
-- token_ends hold, per group, the number of the last element that is its own (1-based, cumulative).
--
-- It does not NOTIFY: a transaction that does holds one lock of the whole cluster until it is on disk, so that commits to
-- one log would wait for those to the other. The recorder notifies afterwards, in a transaction that writes nothing.
--
-- Whoever cannot have the head row within 30 seconds is told so (SQLSTATE 55P03) rather than left waiting.
--
-- outcome: 0 applied · 1 its key was known (stream_id, version, positions: those of the last event under that key)
--          2 a stream stands at another version (stream_id, version: which) · 3 a token is held (stream_id: by whom)
CREATE FUNCTION LOG.append(
    not_before        timestamptz,
    group_keys        bytea[],
    group_batches     uuid[],
    group_ends        integer[],
    expected_ends     integer[],
    expected_streams  uuid[],
    expected_versions integer[],
    event_ids         uuid[],
    streams           uuid[],
    versions          integer[],
    formats           smallint[],
    periods           integer[],
    identities        bytea[],
    contents          bytea[],
    metadatas         bytea[],
    token_ends        integer[],
    tokens            bytea[],
    token_streams     uuid[]
) RETURNS TABLE (outcome smallint, first_position bigint, last_position bigint, recorded_at timestamptz,
                 stream_id uuid, version integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET lock_timeout = '30s'
AS $$
#variable_conflict use_column
DECLARE
    groups    CONSTANT integer := cardinality(group_ends);
    total     CONSTANT integer := cardinality(event_ids);
    expecting CONSTANT integer := cardinality(expected_streams);
    keyed     CONSTANT boolean := cardinality(array_remove(group_keys, NULL)) > 0;
    reserving CONSTANT boolean := cardinality(tokens) > 0;
    before    bigint;    -- the head as it was
    before_at timestamptz;
    at_time   timestamptz;
    applied   integer := 0;
    simple    boolean := true;
    watching  boolean := false;
    one       integer := 1;
    from_event integer; to_event integer; from_expected integer; to_expected integer; from_token integer; to_token integer;
    entry      integer := 0;
    stream_now uuid;
    version_now integer;
BEGIN
    -- The events of a stream stand together and count up from its expected version; streams come in the order in which
    -- they are expected, and those without events are only watched.
    FOR n IN 1 .. total LOOP
        WHILE n > group_ends[one] LOOP
            watching := watching OR entry < expected_ends[one];
            entry := expected_ends[one];
            stream_now := NULL;
            one := one + 1;
        END LOOP;
        IF streams[n] = stream_now THEN
            version_now := version_now + 1;
        ELSE
            stream_now := streams[n];
            entry := entry + 1;
            WHILE entry <= expected_ends[one] AND expected_streams[entry] <> stream_now LOOP
                entry := entry + 1;
                watching := true;
            END LOOP;
            version_now := CASE WHEN entry <= expected_ends[one] THEN expected_versions[entry] + 1 END;
        END IF;
        IF versions[n] IS DISTINCT FROM version_now THEN
            RAISE EXCEPTION 'the events of a group do not follow on from their expected versions'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END LOOP;
    watching := watching OR entry < expecting;
    IF total IS DISTINCT FROM group_ends[groups] OR expecting IS DISTINCT FROM expected_ends[groups]
        OR cardinality(tokens) IS DISTINCT FROM token_ends[groups] OR groups IS DISTINCT FROM cardinality(group_keys)
    THEN
        RAISE EXCEPTION 'the arrays of an append do not fit together' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    IF not_before IS NOT NULL AND NOT EXISTS (SELECT FROM home.home WHERE training) THEN
        not_before := NULL;
    END IF;
    -- From here to the commit nobody else appends. After a wait for the lock the row is computed anew from the one that
    -- was committed meanwhile, and the clock read again.
    UPDATE LOG.head AS h
    SET position = h.position + total, recorded_at = greatest(h.recorded_at, coalesce(not_before, clock_timestamp()))
    RETURNING old.position, old.recorded_at, new.recorded_at INTO before, before_at, at_time;

    -- The usual case: nothing is known, moved or taken, and the groups do not touch each other. All of it in one go.
    -- That a stream expected to be new has no events, and that no two groups bring the same event, key or token, is left
    -- to the unique indexes. Keys and tokens are looked up beforehand only so that a file loaded again writes nothing.
    IF watching AND groups > 1 THEN
        simple := (SELECT count(*) = count(DISTINCT s) FROM unnest(expected_streams) AS e(s));
    END IF;
    IF expecting = 1 AND NOT watching THEN
        IF expected_versions[1] > 0 THEN
            -- One stream known beforehand: its partition alone is opened.
            simple := simple AND expected_versions[1] = (
                SELECT x.version FROM LOG.event AS x WHERE x.stream_id = expected_streams[1]
                ORDER BY x.version DESC LIMIT 1);
        END IF;
    ELSIF simple AND (watching OR 0 < ANY (expected_versions)) THEN
        simple := NOT EXISTS (
            SELECT FROM unnest(expected_streams, expected_versions) AS e(s, v)
            WHERE (e.v > 0 OR watching)
              AND e.v <> coalesce((SELECT x.version FROM LOG.event AS x WHERE x.stream_id = e.s
                                   ORDER BY x.version DESC LIMIT 1), 0)
        );
    END IF;
    IF simple AND keyed THEN
        simple := NOT EXISTS (
            SELECT FROM unnest(group_keys) AS g(k)
            WHERE (SELECT true FROM LOG.idempotency AS i WHERE i.key = g.k LIMIT 1));
    END IF;
    IF simple AND reserving THEN
        simple := NOT EXISTS (
            SELECT FROM unnest(tokens) AS g(t)
            WHERE (SELECT true FROM LOG.reservation AS r WHERE r.token = g.t LIMIT 1));
    END IF;

    IF simple THEN
        BEGIN
            INSERT INTO LOG.event (position, recorded_at, event_id, stream_id, version, format, period,
                                   identity, content, metadata)
            SELECT before + n, at_time, e, s, v, f, p, i, c, m
            FROM (SELECT generate_series(1, total), unnest(event_ids), unnest(streams), unnest(versions),
                         unnest(formats), unnest(periods), unnest(identities), unnest(contents), unnest(metadatas)
                 ) AS given(n, e, s, v, f, p, i, c, m);
            IF keyed THEN
                INSERT INTO LOG.idempotency (key, stream_id, version, batch)
                SELECT k, CASE WHEN own THEN streams[e] END, CASE WHEN own THEN versions[e] END, b
                FROM (SELECT k, b, e, e > lag(e, 1, 0) OVER (ORDER BY n) AS own
                      FROM unnest(group_keys, group_batches, group_ends) WITH ORDINALITY AS g(k, b, e, n)) AS ends
                WHERE k IS NOT NULL;
            END IF;
            IF reserving THEN
                INSERT INTO LOG.reservation (token, stream_id)
                SELECT t, s FROM unnest(tokens, token_streams) AS r(t, s);
            END IF;
            applied := total;
        EXCEPTION WHEN unique_violation THEN
            simple := false;
        END;
    END IF;

    IF simple THEN
        recorded_at := at_time;
        outcome := 0;
        to_event := 0;
        FOREACH one IN ARRAY group_ends LOOP
            first_position := before + to_event + 1;
            last_position := before + one;
            to_event := one;
            RETURN NEXT;
        END LOOP;
    ELSE
        to_event := 0; to_expected := 0; to_token := 0;
        FOR one IN 1 .. groups LOOP
            from_event := to_event + 1; from_expected := to_expected + 1; from_token := to_token + 1;
            to_event := group_ends[one]; to_expected := expected_ends[one]; to_token := token_ends[one];
            outcome := NULL; first_position := NULL; last_position := NULL; recorded_at := NULL;
            stream_id := NULL; version := NULL;

            IF group_keys[one] IS NOT NULL THEN
                SELECT 1, e.position, e.position, e.recorded_at, i.stream_id, i.version
                INTO outcome, first_position, last_position, recorded_at, stream_id, version
                FROM LOG.idempotency AS i
                LEFT JOIN LOG.event AS e ON e.stream_id = i.stream_id AND e.version = i.version
                WHERE i.key = group_keys[one];
            END IF;
            IF outcome IS NULL THEN
                SELECT 2, w.s, w.now INTO outcome, stream_id, version
                FROM (SELECT s, v, n, coalesce((SELECT x.version FROM LOG.event AS x WHERE x.stream_id = s
                                                ORDER BY x.version DESC LIMIT 1), 0) AS now
                      FROM unnest(expected_streams[from_expected:to_expected],
                                  expected_versions[from_expected:to_expected]) WITH ORDINALITY AS e(s, v, n)) AS w
                WHERE w.v <> w.now ORDER BY w.n LIMIT 1;
            END IF;
            IF outcome IS NULL AND to_token >= from_token THEN
                SELECT 3, r.stream_id INTO outcome, stream_id
                FROM unnest(tokens[from_token:to_token]) WITH ORDINALITY AS w(t, n)
                JOIN LOG.reservation AS r ON r.token = w.t
                ORDER BY w.n LIMIT 1;
            END IF;
            IF outcome IS NULL THEN
                INSERT INTO LOG.event (position, recorded_at, event_id, stream_id, version, format, period,
                                       identity, content, metadata)
                SELECT before + applied + n, at_time, e, s, v, f, p, i, c, m
                FROM unnest(event_ids[from_event:to_event], streams[from_event:to_event],
                            versions[from_event:to_event], formats[from_event:to_event],
                            periods[from_event:to_event], identities[from_event:to_event],
                            contents[from_event:to_event], metadatas[from_event:to_event])
                     WITH ORDINALITY AS given(e, s, v, f, p, i, c, m, n);
                IF group_keys[one] IS NOT NULL THEN
                    INSERT INTO LOG.idempotency (key, stream_id, version, batch)
                    VALUES (group_keys[one], CASE WHEN to_event >= from_event THEN streams[to_event] END,
                            CASE WHEN to_event >= from_event THEN versions[to_event] END, group_batches[one]);
                END IF;
                IF to_token >= from_token THEN
                    INSERT INTO LOG.reservation (token, stream_id)
                    SELECT t, s FROM unnest(tokens[from_token:to_token], token_streams[from_token:to_token]) AS r(t, s);
                END IF;
                outcome := 0;
                first_position := before + applied + 1;
                applied := applied + to_event - from_event + 1;
                last_position := before + applied;
                recorded_at := at_time;
            END IF;
            RETURN NEXT;
        END LOOP;
    END IF;

    IF applied < total OR total = 0 THEN
        UPDATE LOG.head
        SET position = before + applied, recorded_at = CASE WHEN applied > 0 THEN at_time ELSE before_at END;
    END IF;
END
$$;
REVOKE ALL ON FUNCTION LOG.append FROM PUBLIC;

-- A file that is withdrawn may be loaded again: its keys are forgotten.
CREATE FUNCTION LOG.forget_batch(forgotten uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH gone AS (DELETE FROM LOG.idempotency WHERE batch = forgotten RETURNING 1) SELECT count(*) FROM gone;
END;
REVOKE ALL ON FUNCTION LOG.forget_batch FROM PUBLIC;
