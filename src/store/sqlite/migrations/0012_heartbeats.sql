-- Heartbeats: what must be heard from every so often. When each is late is in the timers.

CREATE TABLE heartbeat (
    heartbeat     INTEGER PRIMARY KEY,
    heartbeat_id  TEXT NOT NULL UNIQUE,
    webhook       INTEGER NOT NULL REFERENCES webhook,
    name          TEXT NOT NULL,
    -- The events of which key must come; NULL where any delivery of the webhook will do.
    event_key     TEXT,
    -- In milliseconds.
    every         INTEGER NOT NULL CHECK (every > 0),
    severity      TEXT NOT NULL,
    last_heard_at INTEGER,
    -- The open alert that says that it fell silent.
    alert_id      TEXT,
    tags          TEXT NOT NULL DEFAULT '{}',
    created_at    INTEGER NOT NULL
) STRICT;

-- Those of a webhook that a delivery came through; a name is there once for a webhook.
CREATE UNIQUE INDEX heartbeat_of_webhook ON heartbeat (webhook, name);
