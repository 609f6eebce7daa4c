-- Who is signed in, what accounts are proved by, and tries that failed. No fact of the log: all of it is deleted in time.
CREATE SCHEMA sign_in;

-- Of a token its digest alone. An account is a random id.
CREATE TABLE sign_in.session (
    token           bytea       PRIMARY KEY CHECK (length(token) = 32),
    id              uuid        NOT NULL UNIQUE,
    account         uuid        NOT NULL,
    how             text        NOT NULL,
    began_at        timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL,
    proved_at       timestamptz,
    account_version integer     NOT NULL
);
CREATE INDEX session_account ON sign_in.session (account);
CREATE INDEX session_began ON sign_in.session (began_at);

-- Password hash and secret of time-based codes, sealed under a subkey of the account's staff key, which is in the keyring.
CREATE TABLE sign_in.authenticator (
    account   uuid   PRIMARY KEY,
    number    text   NOT NULL CHECK (length(number) <= 30),
    sealed    bytea  NOT NULL,
    last_step bigint NOT NULL
);

-- The digest of a code of 130 random bits; `pending` is sealed as above.
CREATE TABLE sign_in.enrolment (
    account   uuid        PRIMARY KEY,
    code      bytea       NOT NULL CHECK (length(code) = 32),
    until     timestamptz NOT NULL,
    issued_by uuid        NOT NULL,
    pending   bytea
);

-- Tries by bucket, a keyed digest of the name that was typed and of where.
CREATE TABLE sign_in.attempt (
    bucket   bytea       PRIMARY KEY CHECK (length(bucket) = 32),
    failures integer     NOT NULL,
    next_at  timestamptz NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX attempt_at ON sign_in.attempt (at);

-- Devices on which an account was signed in to: the digest of a secret that was left there.
CREATE TABLE sign_in.device (
    device  bytea       NOT NULL CHECK (length(device) = 32),
    account uuid        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (device, account)
);
CREATE INDEX device_account ON sign_in.device (account);
CREATE INDEX device_at ON sign_in.device (at);
