-- Whether every shield and certificate of the log is applied to the keys. False only while a restore is under way, and
-- after one that was cut off: until it is finished nothing is served.
ALTER TABLE home.home ADD COLUMN applied boolean NOT NULL DEFAULT true;
