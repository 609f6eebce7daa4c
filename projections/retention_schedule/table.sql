-- What falls due next for each record: its archiving while it is live, its destruction once it is archived.
CREATE TABLE due (
    child_id    uuid    NOT NULL,
    action      text    NOT NULL CHECK (action IN ('archive', 'destroy')),
    due_on      date    NOT NULL,
    rule        text    NOT NULL,
    rule_set    text    NOT NULL,
    shielded    boolean NOT NULL
);

-- Records for which no rule has a date, with the reason: they stay live until somebody says more.
CREATE TABLE undated (
    child_id uuid NOT NULL,
    reason   text NOT NULL,
    rule_set text NOT NULL
);

-- When the shields of a record are to be looked at again, and when they come down because two people decided so.
CREATE TABLE shield (
    child_id  uuid NOT NULL,
    review_on date NOT NULL,
    lift_on   date,
    rule_set  text NOT NULL
);

-- Indexes, made once the tables are filled.

ALTER TABLE due ADD PRIMARY KEY (child_id, action);
ALTER TABLE undated ADD PRIMARY KEY (child_id);
ALTER TABLE shield ADD PRIMARY KEY (child_id);

-- Serves what falls due on or before a day, in order.
CREATE INDEX due_on_day ON due (due_on, child_id);

-- Serve which shields are to be looked at, and which come down.
CREATE INDEX shield_review ON shield (review_on, child_id);
CREATE INDEX shield_lift ON shield (lift_on, child_id) WHERE lift_on IS NOT NULL;
