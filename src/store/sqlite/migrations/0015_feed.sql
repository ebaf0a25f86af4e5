-- How far webhooks were fed with their domain's audit trail, and which events tell of the state of what.

CREATE TABLE audit_feed (
    webhook  INTEGER PRIMARY KEY REFERENCES webhook,
    -- The number in the domain's own trail of the last record that was fed.
    sequence INTEGER NOT NULL
) STRICT;

-- An event that says of which thing it tells the state: found by the thing, to tell how it was before. Costs about 5 µs
-- for each such event, and nothing for all others.
CREATE TABLE told_state (
    project INTEGER NOT NULL REFERENCES project,
    -- 16 bytes of a digest of what its mapping calls the thing.
    thing   BLOB NOT NULL,
    -- When it happened, by the sender's clock; when it arrived, where that says nothing.
    at      INTEGER NOT NULL,
    event   INTEGER NOT NULL,
    PRIMARY KEY (project, thing, at, event)
) STRICT, WITHOUT ROWID;

-- They go with their events.
CREATE INDEX told_state_of ON told_state (event);
