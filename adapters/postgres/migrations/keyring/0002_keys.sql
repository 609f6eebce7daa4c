-- Wrapped data keys, one row each. In the partitioning of the logs, so that a rebuild can merge the two as streams.
--
-- kind: 1 identity of a child · 2 content of a child, numbered from 1 · 3 staff (account, organisation)
--       4 period (number = year * 12 + month - 1) · 5 system
CREATE SCHEMA keys;

CREATE TABLE keys.key (
    subject     uuid     NOT NULL,
    kind        smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    number      integer  NOT NULL,
    generation  integer  NOT NULL,
    wrapped     bytea STORAGE EXTERNAL,
    certificate uuid,
    PRIMARY KEY (subject, kind, number),
    CONSTRAINT destroyed_is_empty CHECK (certificate IS NULL OR wrapped IS NULL)
) PARTITION BY HASH (subject);
DO $$
BEGIN
    FOR remainder IN 0 .. 31 LOOP
        EXECUTE format('CREATE TABLE keys.key_%s PARTITION OF keys.key FOR VALUES WITH (MODULUS 32, REMAINDER %s)',
                       lpad(remainder::text, 2, '0'), remainder);
    END LOOP;
END
$$;
COMMENT ON COLUMN keys.key.wrapped IS
    'NULL without a certificate: the key is in the shielded database. NULL with one: destroyed.';

-- The key of a content part was moved to the shielded database. False where it was moved or destroyed before.
CREATE FUNCTION keys.mark_elsewhere(subject uuid, kind smallint, number integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF mark_elsewhere.kind <> 2 THEN
        RAISE EXCEPTION 'only content keys are moved' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE keys.key AS k SET wrapped = NULL
    WHERE k.subject = mark_elsewhere.subject AND k.kind = 2 AND k.number = mark_elsewhere.number
      AND k.wrapped IS NOT NULL;
    RETURN FOUND;
END
$$;

-- The shield was lifted: the key is back. False where it was destroyed, or never away.
CREATE FUNCTION keys.restore_wrapped(subject uuid, kind smallint, number integer, generation integer, wrapped bytea)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE keys.key AS k SET generation = restore_wrapped.generation, wrapped = restore_wrapped.wrapped
    WHERE k.subject = restore_wrapped.subject AND k.kind = 2 AND restore_wrapped.kind = 2
      AND k.number = restore_wrapped.number AND k.wrapped IS NULL AND k.certificate IS NULL
      AND restore_wrapped.wrapped IS NOT NULL;
    RETURN FOUND;
END
$$;

-- Destroys a key: empties its row for ever, naming the certificate. False where it was destroyed before.
CREATE FUNCTION keys.forget(subject uuid, kind smallint, number integer, certificate uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF forget.certificate IS NULL THEN
        RAISE EXCEPTION 'destroying a key needs a certificate' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    UPDATE keys.key AS k SET wrapped = NULL, certificate = forget.certificate
    WHERE k.subject = forget.subject AND k.kind = forget.kind AND k.number = forget.number AND k.certificate IS NULL;
    RETURN FOUND;
END
$$;

-- Puts keys under a newer key-encryption key, those alone that still stand under the older. Returns how many.
CREATE FUNCTION keys.rewrap(subjects uuid[], kinds smallint[], numbers integer[], from_generation integer,
                            to_generation integer, rewrapped bytea[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH done AS (
        UPDATE keys.key AS k SET generation = to_generation, wrapped = given.w
        FROM unnest(subjects, kinds, numbers, rewrapped) AS given(s, kind, n, w)
        WHERE k.subject = given.s AND k.kind = given.kind AND k.number = given.n
          AND k.generation = from_generation AND k.wrapped IS NOT NULL AND given.w IS NOT NULL
        RETURNING 1
    )
    SELECT count(*) FROM done;
END;

-- Keys that no stream uses, as a sweep found them, with the instant it first did.
CREATE TABLE keys.orphan (
    subject    uuid        NOT NULL,
    kind       smallint    NOT NULL,
    number     integer     NOT NULL,
    first_seen timestamptz NOT NULL,
    PRIMARY KEY (subject, kind, number)
);

-- Takes the whole list of keys without a stream as it is now; removes those that were on it for 30 days. Returns how
-- many it removed. `instant` moves the clock ahead in a training home only.
CREATE FUNCTION keys.sweep(subjects uuid[], kinds smallint[], numbers integer[], instant timestamptz DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at_time timestamptz := clock_timestamp();
    removed bigint;
BEGIN
    IF instant > at_time AND EXISTS (SELECT FROM home.home WHERE training) THEN
        at_time := instant;
    END IF;
    LOCK TABLE keys.orphan IN EXCLUSIVE MODE;
    DELETE FROM keys.orphan AS o
    WHERE NOT EXISTS (SELECT FROM unnest(subjects, kinds, numbers) AS given(s, k, n)
                      WHERE given.s = o.subject AND given.k = o.kind AND given.n = o.number);
    INSERT INTO keys.orphan (subject, kind, number, first_seen)
    SELECT s, k, n, at_time FROM unnest(subjects, kinds, numbers) AS given(s, k, n)
    ON CONFLICT DO NOTHING;
    WITH old AS (DELETE FROM keys.orphan AS o WHERE o.first_seen <= at_time - interval '30 days'
                 RETURNING o.subject, o.kind, o.number),
         gone AS (DELETE FROM keys.key AS k USING old
                  WHERE k.subject = old.subject AND k.kind = old.kind AND k.number = old.number
                    AND k.certificate IS NULL
                  RETURNING 1)
    SELECT count(*) INTO removed FROM gone;
    RETURN removed;
END
$$;

-- After a restore no key is swept for 30 days: the streams they belong to may have been lost with the younger log.
CREATE FUNCTION keys.empty_orphans() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    DELETE FROM keys.orphan;
END;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA keys FROM PUBLIC;
