-- One row for each source record that is held back and not yet decided on. Why, and whom it is about, is under a key of
-- the `shielded` database: whoever may know opens it for one access.
CREATE TABLE held (
    held_id     uuid        NOT NULL,
    source_kind text        NOT NULL,
    since       timestamptz NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE held ADD PRIMARY KEY (held_id);

-- Serves the queue in order, a page at a time.
CREATE INDEX held_since ON held (since, held_id);
