-- Where shielded children are, as keyed digests: only the writer may ask whether a newcomer is near one.
CREATE SCHEMA whereabouts;
CREATE TABLE whereabouts.token (
    token     bytea NOT NULL,
    stream_id uuid  NOT NULL,
    PRIMARY KEY (token, stream_id)
);
-- Serves lifting a shield and erasure.
CREATE INDEX token_stream ON whereabouts.token (stream_id);
