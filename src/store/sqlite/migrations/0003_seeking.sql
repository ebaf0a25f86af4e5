-- Finding events and alerts by what has no order of its own in time: words of titles and identifiers, resources.
--
-- Rows are numbered as they arrive. 256 of them in a row make a block, 64 blocks a group. What can be sought of a row is
-- a set of numbers: a hash of each three letters of its title, of each of its resources and of its key, each three digits
-- of its identifier, and its project. While a block
-- fills, its numbers are gathered in memory; a full block is one row here, and the blocks of a full group are turned into
-- one row per number, which says in which of the group's 16 384 rows it occurs. All of it is appended, nothing is ever
-- written into the middle, so the cost does not grow with the store, where an index on a random
-- value costs 6-8 µs and more as it grows, and FTS5 5-13 µs. Masks may say too much (hashes meet, rows are removed), never
-- too little: what they find is read and checked.

-- Newest first, of a webhook: ordered by time, +2-3 µs a row.
CREATE INDEX event_of_webhook ON event (webhook, created_at);
CREATE INDEX alert_of_webhook ON alert (webhook, created_at) WHERE webhook IS NOT NULL;

-- The full blocks; once their group is full too, only when their rows came. `block` and `span` carry the table in their
-- upper bits: 0 for events, 1 for alerts.
CREATE TABLE sought_block (
    block  INTEGER PRIMARY KEY,
    -- The least and the greatest created_at of its rows.
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    -- A bit for each three hexadecimal digits that all its identifiers have; the others are among the keys.
    ids    BLOB NOT NULL,
    -- The numbers that occur, sorted, 4 bytes each; and where: 4 bytes each with the end of its rows, then the rows.
    keys   BLOB NOT NULL,
    places BLOB NOT NULL
) STRICT;

CREATE TABLE sought_group (
    span   INTEGER PRIMARY KEY,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL
) STRICT;

CREATE TABLE sought (
    span   INTEGER NOT NULL,
    key    INTEGER NOT NULL,
    -- A bit for each row of the group (2048 bytes), or 2 bytes for each of fewer than 1024 rows.
    places BLOB NOT NULL,
    PRIMARY KEY (span, key)
) STRICT, WITHOUT ROWID;

-- Alerts whose title or project changed after their block was filled: always looked at.
CREATE TABLE sought_anew (
    alert INTEGER PRIMARY KEY
) STRICT;
