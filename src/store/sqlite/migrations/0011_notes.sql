-- The life of alerts: what people write about them, and what projects say of how they end.

CREATE TABLE note (
    note       INTEGER PRIMARY KEY,
    note_id    TEXT NOT NULL UNIQUE,
    alert      INTEGER NOT NULL REFERENCES alert,
    -- Its alert's, kept here too, so that the notes of a project stand in an order of their own; it moves with the alert.
    project    INTEGER NOT NULL REFERENCES project,
    text       TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER
) STRICT;

-- The notes of an alert, of a project, and of everything, newest first.
CREATE INDEX note_of_alert ON note (alert, created_at);
CREATE INDEX note_of_project ON note (project, created_at);
CREATE INDEX note_by_time ON note (created_at);

-- After how long an acknowledgement runs out and an alert expires, in milliseconds; NULL: never.
ALTER TABLE project_alert_config ADD COLUMN acknowledgement_expiry INTEGER;
ALTER TABLE project_alert_config ADD COLUMN stale_after INTEGER;
-- How often a key may open within how long, and how long it must be quiet after; a count of zero: as often as it likes.
ALTER TABLE project_alert_config ADD COLUMN flapping_count INTEGER NOT NULL DEFAULT 5;
ALTER TABLE project_alert_config ADD COLUMN flapping_within INTEGER NOT NULL DEFAULT 1800000;
ALTER TABLE project_alert_config ADD COLUMN flapping_quiet INTEGER NOT NULL DEFAULT 600000;

-- The recovery of an alert that others are part of, as JSON: it is over once they are too.
ALTER TABLE alert ADD COLUMN held TEXT;

-- The open alerts that are part of one, of which all that matters is whether there are any left.
CREATE INDEX alert_of_lead_open ON alert (merged_into) WHERE merged_into IS NOT NULL AND state <> 'RESOLVED';
