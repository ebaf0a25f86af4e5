-- Escalation: who is told, in which steps; who is on call; how people are reached. Few rows, read whole into setups.

CREATE TABLE escalation_policy (
    escalation_policy    INTEGER PRIMARY KEY,
    escalation_policy_id TEXT NOT NULL UNIQUE,
    workspace            INTEGER NOT NULL REFERENCES workspace,
    -- NULL where all projects of the workspace may have it.
    project              INTEGER REFERENCES project,
    name                 TEXT NOT NULL,
    is_default           INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    -- [{"notification_level": "LV1", "escalate_minutes": 10, "targets": [..]}, ..]
    rules                TEXT NOT NULL,
    repeat_count         INTEGER NOT NULL,
    finish_condition     TEXT NOT NULL CHECK (finish_condition IN ('ACKNOWLEDGED', 'RESOLVED')),
    tags                 TEXT NOT NULL DEFAULT '{}',
    created_at           INTEGER NOT NULL
) STRICT;

-- A name is there once in a workspace; the policies of a workspace, for setups.
CREATE UNIQUE INDEX escalation_policy_name ON escalation_policy (workspace, name);
-- A workspace has one default.
CREATE UNIQUE INDEX escalation_policy_default ON escalation_policy (workspace) WHERE is_default = 1;
-- What goes with a project that is deleted.
CREATE INDEX escalation_policy_of_project ON escalation_policy (project) WHERE project IS NOT NULL;

-- The policy that a project chose.
ALTER TABLE project_alert_config ADD COLUMN escalation_policy INTEGER REFERENCES escalation_policy;
-- Whether a policy that is about to be deleted is chosen.
CREATE INDEX project_alert_config_policy ON project_alert_config (escalation_policy)
    WHERE escalation_policy IS NOT NULL;

-- Each workspace has had a default policy from its beginning.
INSERT INTO escalation_policy
    (escalation_policy_id, workspace, name, is_default, rules, repeat_count, finish_condition, created_at)
SELECT 'ep-' || lower(hex(randomblob(16))), workspace, 'Default', 1,
       '[{"notification_level":"ALL","escalate_minutes":0,"targets":[]}]', 0, 'ACKNOWLEDGED', created_at
FROM workspace;

CREATE TABLE on_call (
    on_call    INTEGER PRIMARY KEY,
    on_call_id TEXT NOT NULL UNIQUE,
    workspace  INTEGER NOT NULL REFERENCES workspace,
    project    INTEGER REFERENCES project,
    name       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,
    rotation   TEXT NOT NULL,
    overrides  TEXT NOT NULL,
    tags       TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL
) STRICT;

-- A name is there once in a workspace; the schedules of a workspace, for setups.
CREATE UNIQUE INDEX on_call_name ON on_call (workspace, name);
CREATE INDEX on_call_of_project ON on_call (project) WHERE project IS NOT NULL;

CREATE TABLE contact (
    contact    INTEGER PRIMARY KEY,
    contact_id TEXT NOT NULL UNIQUE,
    workspace  INTEGER NOT NULL REFERENCES workspace,
    project    INTEGER REFERENCES project,
    user_id    TEXT NOT NULL,
    -- The channel that reaches them, by its identifier.
    channel_id TEXT NOT NULL,
    urgency    TEXT NOT NULL CHECK (urgency IN ('ALL', 'HIGH_ONLY')),
    created_at INTEGER NOT NULL
) STRICT;

-- The contact methods of a workspace by user, for setups.
CREATE UNIQUE INDEX contact_of_user ON contact (workspace, coalesce(project, 0), user_id, channel_id);
CREATE INDEX contact_of_project ON contact (project) WHERE project IS NOT NULL;
