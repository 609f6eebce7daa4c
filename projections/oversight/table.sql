-- One row for each act that somebody proposed.
CREATE TABLE proposal (
    proposal_id uuid        NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    waits       boolean     NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE proposal ADD PRIMARY KEY (proposal_id);

-- Serves the list of what waits, oldest first.
CREATE INDEX proposal_waits ON proposal (proposed_at, proposal_id) WHERE waits;
