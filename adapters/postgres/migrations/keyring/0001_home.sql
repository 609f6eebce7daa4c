-- What kind of home this is: only one that holds invented people may set its clock ahead.
CREATE SCHEMA home;
CREATE TABLE home.home (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    training boolean NOT NULL
);
