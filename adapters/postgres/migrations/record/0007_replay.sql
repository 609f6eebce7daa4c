-- What was acknowledged, so that it can be sent again with the same ids and numbers. Kept as long as on the topic.
CREATE TABLE publication.sent (
    partition smallint    NOT NULL,
    number    bigint      NOT NULL,
    event_id  uuid        NOT NULL,
    child_id  uuid        NOT NULL,
    kind      text        NOT NULL,
    at        timestamptz NOT NULL,
    sent_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (partition, number)
);
CREATE INDEX sent_by_age ON publication.sent (sent_at);  -- forgetting what is old
CREATE INDEX sent_by_time ON publication.sent (at);      -- a replay of a range of time

-- The database session of whoever leads: once it is gone, so is the leader, and nobody waits for the lease to run out.
ALTER TABLE publication.state
    ADD COLUMN session       integer,
    ADD COLUMN session_began timestamptz;
