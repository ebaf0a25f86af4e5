-- Channels, what was announced, and the messages that go out.

CREATE TABLE channel (
    channel    INTEGER PRIMARY KEY,
    channel_id TEXT NOT NULL UNIQUE,
    workspace  INTEGER NOT NULL REFERENCES workspace,
    -- NULL: of all projects of its workspace.
    project    INTEGER REFERENCES project,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    -- Secrets included: they have to be used.
    settings   TEXT NOT NULL,
    levels     TEXT NOT NULL,
    filter     TEXT NOT NULL,
    templates  TEXT NOT NULL,
    gather     TEXT,
    rate       INTEGER,
    tags       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
) STRICT;

-- The channels of a workspace, and the names that are taken.
CREATE UNIQUE INDEX channel_name ON channel (workspace, coalesce(project, 0), name) WHERE deleted_at IS NULL;

-- What was announced of alerts, whether or not someone took it.
CREATE TABLE notice (
    notice     INTEGER PRIMARY KEY,
    -- No reference: the alert may be removed before.
    alert      INTEGER NOT NULL,
    project    INTEGER NOT NULL REFERENCES project,
    occasion   TEXT NOT NULL,
    level      TEXT NOT NULL,
    step       INTEGER NOT NULL,
    reason     TEXT,
    -- The alert as it stood, with the fields that its lists show; of what nobody took, only the first few.
    content    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notice_of_alert ON notice (alert);
-- In order, for removing what is old.
CREATE INDEX notice_of_project ON notice (project, notice);

-- One message through one channel. It tells `notice`, and those of `gathered`.
CREATE TABLE message (
    message     INTEGER PRIMARY KEY,
    message_id  TEXT NOT NULL UNIQUE,
    channel     INTEGER NOT NULL REFERENCES channel,
    -- That of its first notice.
    project     INTEGER NOT NULL REFERENCES project,
    recipient   TEXT,
    notice      INTEGER NOT NULL,
    notices     INTEGER NOT NULL DEFAULT 1,
    state       TEXT NOT NULL CHECK (state IN ('WAITING', 'SENT', 'DEAD', 'DROPPED')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- NULL while another message must arrive first or more notices may come, and once it is done.
    due_at      INTEGER,
    -- What its notices have in common, while more may come.
    gathering   TEXT,
    reason      TEXT,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

-- What is due, by channel: only what waits for its time, however many messages there are.
CREATE INDEX message_due ON message (channel, due_at) WHERE due_at IS NOT NULL;
-- The message that takes more notices of a kind; few rows.
CREATE UNIQUE INDEX message_gathering ON message (channel, gathering) WHERE gathering IS NOT NULL;
-- Newest first: of a project, of a channel; of a project those that wait or were given up.
CREATE INDEX message_of_project ON message (project, message);
CREATE INDEX message_of_channel ON message (channel, message);
CREATE INDEX message_waiting ON message (project, message) WHERE state = 'WAITING';
CREATE INDEX message_dead ON message (project, message) WHERE state = 'DEAD';
-- What was given up lately, for the self-check; few rows.
CREATE INDEX message_given_up ON message (finished_at) WHERE state = 'DEAD';
-- What tells a notice.
CREATE INDEX message_of_notice ON message (notice);

-- The notices that a message tells beside its first.
CREATE TABLE gathered (
    message INTEGER NOT NULL REFERENCES message,
    notice  INTEGER NOT NULL,
    PRIMARY KEY (message, notice)
) STRICT, WITHOUT ROWID;

CREATE INDEX gathered_notice ON gathered (notice);

-- The messages that are not done, by channel and alert: the first of each goes before the others. Rows of what is done are
-- removed, so it is as small as what waits.
CREATE TABLE lane (
    channel INTEGER NOT NULL,
    alert   INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (channel, alert, message)
) STRICT, WITHOUT ROWID;

CREATE INDEX lane_of_message ON lane (message);

-- Each attempt to send a message.
CREATE TABLE attempt (
    message INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    status  INTEGER,
    -- Why it failed; NULL where it did not.
    fault   TEXT,
    PRIMARY KEY (message, number)
) STRICT, WITHOUT ROWID;

-- What a channel calls the first message about an alert, so that those after it answer to it.
CREATE TABLE thread (
    alert   INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    thread  TEXT NOT NULL,
    PRIMARY KEY (alert, channel)
) STRICT, WITHOUT ROWID;
