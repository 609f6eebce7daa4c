-- What the publisher remembers: who leads, how far it has come, the numbers of each partition, what is on its way.
CREATE SCHEMA publication;

-- One row. The fencing number goes up with each leader; every change of the publisher's is under it.
CREATE TABLE publication.state (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    fence    bigint      NOT NULL DEFAULT 0,
    until    timestamptz NOT NULL DEFAULT '-infinity',
    position bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    upto     bigint      NOT NULL DEFAULT 0 CHECK (upto >= position)
);
INSERT INTO publication.state DEFAULT VALUES;

CREATE TABLE publication.partition (
    partition smallint PRIMARY KEY,
    number    bigint   NOT NULL CHECK (number > 0)
);

-- Numbered and not yet acknowledged: sent again exactly as it stands here.
CREATE TABLE publication.pending (
    place     integer     NOT NULL,
    event_id  uuid        PRIMARY KEY,
    child_id  uuid        NOT NULL,
    kind      text        NOT NULL,
    at        timestamptz NOT NULL,
    partition smallint    NOT NULL,
    number    bigint      NOT NULL,
    UNIQUE (partition, number)
);

CREATE TABLE publication.parked (
    stream_id uuid   PRIMARY KEY,
    position  bigint NOT NULL
);
