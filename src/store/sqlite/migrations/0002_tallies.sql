-- Tallies: how many rows of each kind came in each quarter of an hour, written in the same commit as the rows.

-- What rows are told apart by: each combination that ever came, numbered as it first came. Numbers of events begin at 0,
-- those of alerts at 2^30. A combination is never changed or removed, so readers keep them.
CREATE TABLE tally_combo (
    combo          INTEGER PRIMARY KEY,
    project        INTEGER NOT NULL,
    -- NULL for an alert that a person made.
    webhook        INTEGER,
    -- NULL where the rows have none, and where this combination is of all providers that got none of their own.
    provider       TEXT,
    other_provider INTEGER NOT NULL CHECK (other_provider IN (0, 1)),
    severity       TEXT NOT NULL,
    event_type     TEXT,
    state          TEXT,
    urgency        TEXT
) STRICT;

CREATE UNIQUE INDEX tally_combo_once ON tally_combo
    (project, coalesce(webhook, 0), coalesce(provider, 0), other_provider, severity,
     coalesce(event_type, ''), coalesce(state, ''), coalesce(urgency, ''));

-- Rows by quarter of an hour since 1970. A chunk is 256 combinations; `counts` lists (place in the chunk, how many), as a
-- byte and a number of seven bits a byte. By quarter first: all that comes now is written to one page.
CREATE TABLE tally_quarter (
    bucket INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (bucket, chunk)
) STRICT, WITHOUT ROWID;

-- The same by hour (1), day (2) and 32 days (3) since 1970, for what is over. By chunk first: these are written once, and
-- read as ranges of the chunks that are asked for.
CREATE TABLE tally_coarse (
    level  INTEGER NOT NULL,
    chunk  INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (level, chunk, bucket)
) STRICT, WITHOUT ROWID;

-- Hours, days and 32 days that are over before this quarter (the first of an hour) are in `tally_coarse`; NULL while there
-- are no rows. Without a row here all is counted anew when the store is opened.
CREATE TABLE tally_mark (
    only   INTEGER PRIMARY KEY CHECK (only = 1),
    folded INTEGER
) STRICT;
