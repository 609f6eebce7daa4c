-- How far followers that have effects have come. Not in the views database: no rebuild rewinds an effect.
CREATE TABLE record_log.follower (
    name     text   PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0)
);
