-- Unique tokens: an index number, or an HMAC of an identifier, held by at most one stream of the record log.
CREATE TABLE record_log.reservation (
    token     bytea PRIMARY KEY,
    stream_id uuid  NOT NULL
);
-- Serves erasure: what a stream holds.
CREATE INDEX reservation_stream ON record_log.reservation (stream_id);

-- Erasure lets go of the identifiers a stream held. An index number is random, and is never let go.
CREATE FUNCTION record_log.release(released bytea[], holder uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH gone AS (DELETE FROM record_log.reservation WHERE token = ANY (released) AND stream_id = holder RETURNING 1)
    SELECT count(*) FROM gone;
END;
REVOKE ALL ON FUNCTION record_log.release FROM PUBLIC;
