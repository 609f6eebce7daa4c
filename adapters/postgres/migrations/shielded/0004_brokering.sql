-- In which records somebody asked the local team for contact. What was asked, by whom, and what came of it lies in the log.
CREATE SCHEMA brokering;
CREATE TABLE brokering.asked (
    request  uuid        PRIMARY KEY,
    child_id uuid        NOT NULL,
    at       timestamptz NOT NULL
);
-- Serves erasure, and the team's list.
CREATE INDEX asked_child ON brokering.asked (child_id);
