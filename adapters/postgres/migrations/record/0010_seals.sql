-- What the sealers remember beside their files: who leads each log, how far it is sealed, and when all was last well.
CREATE SCHEMA seal;

-- A row for each log (1 record, 2 access). What was sealed once is never sealed otherwise: the size only grows.
CREATE TABLE seal.state (
    log           smallint    PRIMARY KEY,
    fence         bigint      NOT NULL DEFAULT 0,
    until         timestamptz NOT NULL DEFAULT '-infinity',
    session       integer,
    session_began timestamptz,
    size          bigint      NOT NULL DEFAULT 0 CHECK (size >= 0),
    root          bytea       NOT NULL DEFAULT sha256(''),
    well_at       timestamptz
);
INSERT INTO seal.state (log) VALUES (1), (2);
