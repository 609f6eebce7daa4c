-- Files of rules as they were read, byte for byte. A decision names the rules it was made under, so none is ever changed.
CREATE SCHEMA rules;
CREATE TABLE rules.text (
    digest bytea PRIMARY KEY CHECK (digest = sha256(text)),
    text   bytea NOT NULL CHECK (length(text) <= 1048576)
);
-- A proposal names a text by the first half of its digest: no two may share it.
CREATE UNIQUE INDEX text_half ON rules.text (substring(digest FOR 16));

CREATE FUNCTION rules.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a file of rules is never changed and never deleted' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON rules.text
    FOR EACH STATEMENT EXECUTE FUNCTION rules.refuse();
ALTER TABLE rules.text ENABLE ALWAYS TRIGGER never_changed;
