-- One row for each child that a search may find. What a shielded record does not show is not here.
CREATE TABLE child (
    child_id      uuid    NOT NULL,
    version       integer NOT NULL,
    number        text    NOT NULL,
    date_of_birth date,
    gender        text    NOT NULL,
    postcode      text,
    nhs_number    text,
    shielded      boolean NOT NULL,
    visible_until date,
    rule_set      text    NOT NULL
);

-- One row for each name that a search may find a child by, in normal form.
CREATE TABLE name (
    child_id uuid     NOT NULL,
    place    smallint NOT NULL,
    kind     text     NOT NULL,
    given    text     NOT NULL,
    family   text     NOT NULL,
    sounds   text[]   NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE child ADD PRIMARY KEY (child_id);
ALTER TABLE name ADD PRIMARY KEY (child_id, place);

-- Serves search by the index's own number.
CREATE UNIQUE INDEX child_number ON child (number);
-- Serves search by NHS number. Not unique: two sources may disagree about whose it is.
CREATE INDEX child_nhs_number ON child (nhs_number) WHERE nhs_number IS NOT NULL;
-- Serves search by date of birth, with a name or a postcode; also with day and month exchanged.
CREATE INDEX child_date_of_birth ON child (date_of_birth);
-- Serves search by name and postcode.
CREATE INDEX child_postcode ON child (postcode) WHERE postcode IS NOT NULL;
-- Serves search by name alone: one word, or family name with the beginning of a given name.
CREATE INDEX name_family_given ON name (family, given text_pattern_ops, child_id);
-- Serves search by name alone in other spellings and any order: every word must sound like one of the name's.
CREATE INDEX name_sounds ON name USING gin (sounds) WITH (fastupdate = off);
