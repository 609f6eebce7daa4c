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
    rule_set      text    NOT NULL,
    names         text    NOT NULL
);

-- One row for each name that a search may find a child by, in normal form.
CREATE TABLE name (
    child_id uuid     NOT NULL,
    place    smallint NOT NULL,
    given    text     NOT NULL COLLATE "C",
    family   text     NOT NULL COLLATE "C",
    sounds   text[]   NOT NULL
);

-- One row for each sound of each name.
CREATE TABLE sound (
    sound    text     NOT NULL COLLATE "C",
    child_id uuid     NOT NULL,
    place    smallint NOT NULL
);

-- Indexes, made once the tables are filled.

-- Serve replacing the rows of one child, and search by name alone.
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
-- Serves search by name alone: one word, or family name with the beginning of a given name. In the order of the index, so
-- that of a common name no more is read than is looked at.
CREATE INDEX name_family_given ON name (family, given, child_id);
-- Serves search by several names alone in other spellings and any order: every word must sound like one of the name's.
CREATE INDEX name_sounds ON name USING gin (sounds) WITH (fastupdate = off);
-- Serves the same by one name, in order: of a common name the index before this one would give everybody.
ALTER TABLE sound ADD PRIMARY KEY (sound, child_id, place);
-- Serves replacing the rows of one child.
CREATE INDEX sound_child ON sound (child_id);
