-- Upkeep: what happened to alerts, for those who watch; how long projects keep what; how far it was removed.

-- One row for each change of an alert that is worth telling, not for an event that merely joins. Rows are written in the
-- commit that makes the change, by the one writer, so they are committed in the order of their keys.
CREATE TABLE happening (
    happening INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    -- No reference: an alert may be removed before what happened to it is, and then nothing of it is told any more.
    alert     INTEGER NOT NULL,
    -- The integer key that the next event will get: it happened before that event and after those before it.
    event     INTEGER NOT NULL,
    -- O: opened, C: changed, R: resolved, D: deleted.
    what      TEXT NOT NULL CHECK (what IN ('O', 'C', 'R', 'D')),
    -- The state before and after, by its first letter; NULL where there was none, or is none.
    before    TEXT,
    after     TEXT
) STRICT;

-- How long a project keeps what, in milliseconds; NULL: for ever. A project without a row keeps everything.
CREATE TABLE retention (
    project         INTEGER PRIMARY KEY REFERENCES project,
    events          INTEGER,
    payloads        INTEGER,
    resolved_alerts INTEGER
) STRICT;

-- The newest event that was removed of a project, and the newest change that may have been of an alert that was: who has
-- not read beyond them has missed something.
CREATE TABLE forgotten (
    project   INTEGER PRIMARY KEY REFERENCES project,
    event     INTEGER NOT NULL DEFAULT 0,
    happening INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Up to which delivery the payloads of a webhook were removed, and up to which its deliveries were looked at.
CREATE TABLE swept (
    webhook    INTEGER PRIMARY KEY REFERENCES webhook,
    payloads   INTEGER NOT NULL DEFAULT 0,
    deliveries INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The greatest integer keys that were given by the time something was removed, so that none is ever given again: the
-- spans of deliveries and the places of those who watch would mean something else.
CREATE TABLE given (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    delivery  INTEGER NOT NULL,
    event     INTEGER NOT NULL,
    alert     INTEGER NOT NULL,
    happening INTEGER NOT NULL
) STRICT;

INSERT INTO given (only, delivery, event, alert, happening) VALUES (1, 0, 0, 0, 0);
