-- What is being done for alerts: how far their escalation is, what mutes them, what is due, what was decided.

ALTER TABLE alert ADD COLUMN escalation_policy_id TEXT;
-- Whether it was given to the alert, and is not merely that of its project.
ALTER TABLE alert ADD COLUMN policy_given INTEGER NOT NULL DEFAULT 0 CHECK (policy_given IN (0, 1));
ALTER TABLE alert ADD COLUMN escalation_step INTEGER NOT NULL DEFAULT 1;
ALTER TABLE alert ADD COLUMN escalation_ttl INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alert ADD COLUMN escalated_at INTEGER;
-- Whether an event rule said that nobody is to be told.
ALTER TABLE alert ADD COLUMN no_notification INTEGER NOT NULL DEFAULT 0 CHECK (no_notification IN (0, 1));
-- What mutes it, e.g. `silence:silence-...`, and the whole of it as JSON.
ALTER TABLE alert ADD COLUMN muted_by TEXT;
ALTER TABLE alert ADD COLUMN mute TEXT;
ALTER TABLE alert ADD COLUMN snoozed_until INTEGER;
ALTER TABLE alert ADD COLUMN snooze TEXT;
ALTER TABLE alert ADD COLUMN acknowledged_until INTEGER;
ALTER TABLE alert ADD COLUMN flapping_since INTEGER;
ALTER TABLE alert ADD COLUMN flapping TEXT;
-- The alert it is part of, by its identifier.
ALTER TABLE alert ADD COLUMN merged_into TEXT;
ALTER TABLE alert ADD COLUMN leads INTEGER NOT NULL DEFAULT 0 CHECK (leads IN (0, 1));
ALTER TABLE alert ADD COLUMN expired INTEGER NOT NULL DEFAULT 0 CHECK (expired IN (0, 1));
-- What is special about it, as a number of bits, so that an event that joins finds it with how the alert stands.
ALTER TABLE alert ADD COLUMN marks INTEGER NOT NULL DEFAULT 0;

-- The members of an alert; few rows.
CREATE INDEX alert_of_lead ON alert (merged_into) WHERE merged_into IS NOT NULL;
-- What a silence, a window or an inhibition mutes; few rows.
CREATE INDEX alert_muted ON alert (muted_by) WHERE muted_by IS NOT NULL;

-- What happens by itself. One index finds what is due, whatever waits.
CREATE TABLE timer (
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    due_at  INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX timer_due ON timer (due_at);

-- What was decided for alerts, in order; `steps` is a JSON list: what was decided at one instant stands in one row.
CREATE TABLE history (
    history  INTEGER PRIMARY KEY,
    -- NULL where an event was kept without an alert.
    alert    INTEGER,
    event_id TEXT,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    steps    TEXT NOT NULL
) STRICT;

CREATE INDEX history_of_alert ON history (alert) WHERE alert IS NOT NULL;
-- What was decided for an event that no alert has: found by the event, removed by age; few rows.
CREATE INDEX history_of_event ON history (event_id) WHERE alert IS NULL;
CREATE INDEX history_without_alert ON history (at) WHERE alert IS NULL;

-- How often rules, windows, silences and inhibitions were hit.
CREATE TABLE hit (
    kind    TEXT NOT NULL,
    id      TEXT NOT NULL,
    count   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
