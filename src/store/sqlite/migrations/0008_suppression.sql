-- What mutes alerts: maintenance windows, silences, inhibitions.

CREATE TABLE suppression (
    suppression    INTEGER PRIMARY KEY,
    suppression_id TEXT NOT NULL UNIQUE,
    kind           TEXT NOT NULL CHECK (kind IN ('maintenance_window', 'silence', 'inhibition')),
    workspace      INTEGER NOT NULL REFERENCES workspace (workspace),
    -- Its projects as a JSON list of identifiers; NULL for all of the workspace.
    projects       TEXT,
    -- What else it says, as JSON.
    body           TEXT NOT NULL,
    created_by     TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    -- When it was closed, ended by hand, or over by itself; NULL while it mutes or will.
    ended_at       INTEGER
) STRICT;

-- Lists of one kind, newest first.
CREATE INDEX suppression_of_kind ON suppression (kind, suppression);
-- What is not over of a whole workspace; few rows.
CREATE INDEX suppression_of_workspace ON suppression (workspace) WHERE projects IS NULL AND ended_at IS NULL;

-- What is not over of single projects: how a project's setup finds it.
CREATE TABLE suppression_of_project (
    project     INTEGER NOT NULL,
    suppression INTEGER NOT NULL,
    PRIMARY KEY (project, suppression)
) STRICT, WITHOUT ROWID;

CREATE INDEX suppression_projects ON suppression_of_project (suppression);

-- The open alerts that play a part in an inhibition: 0 mutes others, 1 is muted. `equal_values` is a digest of the fields
-- in which both must be equal, so that one look-up by the key finds an alert's inhibitors, or what it inhibits, however
-- many are open.
CREATE TABLE inhibition_side (
    inhibition   INTEGER NOT NULL,
    side         INTEGER NOT NULL CHECK (side IN (0, 1)),
    equal_values BLOB NOT NULL,
    alert        INTEGER NOT NULL,
    PRIMARY KEY (inhibition, side, equal_values, alert)
) STRICT, WITHOUT ROWID;

CREATE INDEX inhibition_side_of_alert ON inhibition_side (alert);

-- Open alerts of which an event rule said that they are muted while the alert of another key is open.
CREATE TABLE inhibited_by_key (
    alert         INTEGER PRIMARY KEY,
    project       INTEGER NOT NULL,
    event_key     TEXT NOT NULL,
    event_rule_id TEXT NOT NULL,
    name          TEXT NOT NULL
) STRICT;

-- What waits for the alert of a key.
CREATE INDEX inhibited_of_key ON inhibited_by_key (project, event_key);

-- What a silence, a window or an inhibition mutes that is open still; alerts keep what muted them once they are over.
DROP INDEX alert_muted;
CREATE INDEX alert_muted ON alert (muted_by) WHERE muted_by IS NOT NULL AND state <> 'RESOLVED' AND deleted_at IS NULL;
