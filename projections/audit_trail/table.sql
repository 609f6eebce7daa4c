-- One row for each look of any kind. The organisation of whoever looked is not here: of a shielded child it could tell
-- where the child is, and a look outlives the shield's raising.
CREATE TABLE look (
    access_id    uuid        NOT NULL,
    at           timestamptz NOT NULL,
    account      uuid        NOT NULL,
    role         text        NOT NULL,
    action       text        NOT NULL,
    purpose      text,
    on_behalf_of uuid,
    confirmed_by uuid,
    outcome      text        NOT NULL,
    rule         text        NOT NULL,
    rule_set     text        NOT NULL,
    position     bigint      NOT NULL
);

-- One row for each child that a look showed, or asked for by its id.
CREATE TABLE seen (
    access_id uuid        NOT NULL,
    child_id  uuid        NOT NULL,
    at        timestamptz NOT NULL,
    shown     boolean     NOT NULL,
    mask      text
);

-- One row for each change to a record; of a shielded one, only for those that hide neither their name nor their place.
CREATE TABLE change (
    child_id  uuid        NOT NULL,
    ordinal   integer     NOT NULL,
    at        timestamptz NOT NULL,
    event     text        NOT NULL,
    effective date,
    source    text,
    actor     uuid,
    purpose   text,
    version   integer
);

-- Indexes, made once the tables are filled.

ALTER TABLE look ADD PRIMARY KEY (access_id);
ALTER TABLE seen ADD PRIMARY KEY (access_id, child_id);
ALTER TABLE change ADD PRIMARY KEY (child_id, ordinal);

-- Serves who saw a child, newest first.
CREATE INDEX seen_child ON seen (child_id, at DESC, access_id);
-- Serves what an account saw, newest first.
CREATE INDEX look_account ON look (account, at DESC, access_id);
-- Serves every look of a period, newest first.
CREATE INDEX look_at ON look (at DESC, access_id);
-- Serves what others looked at on an account's behalf.
CREATE INDEX look_on_behalf_of ON look (on_behalf_of) WHERE on_behalf_of IS NOT NULL;
-- Serves the register of refusals.
CREATE INDEX look_refused ON look (at DESC, access_id) WHERE outcome = 'refused';
-- Serves who looked behind a shield, newest first.
CREATE INDEX look_override ON look (at DESC, access_id) WHERE action = 'override';
-- Serves what an account confirmed as the second person.
CREATE INDEX look_confirmed_by ON look (confirmed_by) WHERE confirmed_by IS NOT NULL;
