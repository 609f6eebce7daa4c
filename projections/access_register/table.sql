-- One row for each account.
CREATE TABLE account (
    account_id uuid NOT NULL,
    name       text NOT NULL,
    body       text NOT NULL
);

-- One row for each organisation.
CREATE TABLE organisation (
    organisation_id uuid NOT NULL,
    body            text NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE account ADD PRIMARY KEY (account_id);

ALTER TABLE organisation ADD PRIMARY KEY (organisation_id);

-- Serves the list of accounts by name, a page at a time.
CREATE INDEX account_name ON account (name);
-- Serves the list of organisations by body code, a page at a time.
CREATE INDEX organisation_body ON organisation (body);
