-- One row for each act that somebody proposed.
CREATE TABLE proposal (
    proposal_id uuid        NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    waits       boolean     NOT NULL
);

-- One row for each investigation of what somebody did with their access.
CREATE TABLE investigation (
    investigation_id uuid        NOT NULL,
    opened_at        timestamptz NOT NULL,
    organisation     uuid        NOT NULL,
    area             text        NOT NULL,
    line_manager     text,
    waits            boolean     NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE proposal ADD PRIMARY KEY (proposal_id);

-- Serves the list of what waits, oldest first.
CREATE INDEX proposal_waits ON proposal (proposed_at, proposal_id) WHERE waits;

ALTER TABLE investigation ADD PRIMARY KEY (investigation_id);

-- Serves the list of investigations, everywhere or of one area.
CREATE INDEX investigation_waits ON investigation (waits, opened_at, investigation_id);
-- Serves what a line manager is told.
CREATE INDEX investigation_told ON investigation (organisation, line_manager, opened_at) WHERE line_manager IS NOT NULL;
