-- What programs signed is good once: a keyed digest of its id, for as long as it is in time.
CREATE TABLE sign_in.used_assertion (
    digest bytea       PRIMARY KEY CHECK (length(digest) = 32),
    until  timestamptz NOT NULL
);
CREATE INDEX used_assertion_until ON sign_in.used_assertion (until);
