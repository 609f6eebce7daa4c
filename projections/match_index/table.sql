-- One row for each record that an incoming one may be linked to; names in normal form. Nothing here that a shielded
-- record does not show.
CREATE TABLE candidate (
    child_id      uuid     NOT NULL,
    forenames     text     NOT NULL,
    surname       text     NOT NULL,
    date_of_birth date,
    postcode      text,
    nhs_number    text,
    nhs_verified  boolean  NOT NULL,
    gender        text     NOT NULL,
    birth_order   smallint,
    shielded      boolean  NOT NULL,
    archived      boolean  NOT NULL,
    keys          text[]   NOT NULL
);

-- One row for each key of each record: of every name, address and number it ever stood under.
CREATE TABLE key (
    key      text NOT NULL,
    child_id uuid NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE candidate ADD PRIMARY KEY (child_id);

-- Serves candidates by exact key.
ALTER TABLE key ADD PRIMARY KEY (key, child_id);
-- Serves replacing the keys of one record.
CREATE INDEX key_child ON key (child_id);
