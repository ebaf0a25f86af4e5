-- Event rules and group rules, and the groups that wait or are open.

CREATE TABLE event_rule (
    event_rule      INTEGER PRIMARY KEY,
    event_rule_id   TEXT NOT NULL UNIQUE,
    workspace       INTEGER NOT NULL REFERENCES workspace,
    -- NULL: a rule of the whole workspace.
    project         INTEGER REFERENCES project,
    -- Set: a rule of this webhook of the project.
    webhook         INTEGER REFERENCES webhook,
    name            TEXT NOT NULL,
    -- Its place among the rules of its webhook, project or workspace, from one.
    position        INTEGER NOT NULL,
    policy          TEXT NOT NULL CHECK (policy IN ('ALL', 'ANY', 'ALWAYS')),
    conditions      TEXT NOT NULL,
    actions         TEXT NOT NULL,
    stop_processing INTEGER NOT NULL CHECK (stop_processing IN (0, 1)),
    tags            TEXT NOT NULL DEFAULT '{}',
    created_at      INTEGER NOT NULL,
    CHECK (webhook IS NULL OR project IS NOT NULL)
) STRICT;

-- The rules of a project and of its workspace, when a setup is made; few rows.
CREATE INDEX event_rule_of ON event_rule (workspace, project, webhook, position);

CREATE TABLE group_rule (
    group_rule    INTEGER PRIMARY KEY,
    group_rule_id TEXT NOT NULL UNIQUE,
    project       INTEGER NOT NULL REFERENCES project,
    name          TEXT NOT NULL,
    position      INTEGER NOT NULL,
    conditions    TEXT NOT NULL,
    fields        TEXT NOT NULL,
    -- In milliseconds.
    span          INTEGER NOT NULL,
    threshold     INTEGER NOT NULL,
    tags          TEXT NOT NULL DEFAULT '{}',
    created_at    INTEGER NOT NULL
) STRICT;

-- The rules of a project, when a setup is made; few rows.
CREATE INDEX group_rule_of ON group_rule (project, position);

-- The alert that leads a group, and until when others become part of it. `subject` is the rule and a digest of the values.
CREATE TABLE grouping (
    subject      TEXT PRIMARY KEY,
    group_rule   INTEGER NOT NULL,
    lead         TEXT NOT NULL,
    last_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that wait for their group to have enough, found by the primary key in the order in which they came. They go when
-- an alert adopts them, or when their time is over.
CREATE TABLE group_waiting (
    subject    TEXT NOT NULL,
    came_at    INTEGER NOT NULL,
    event_id   TEXT NOT NULL,
    group_rule INTEGER NOT NULL,
    PRIMARY KEY (subject, came_at, event_id)
) STRICT, WITHOUT ROWID;
