-- The foundation: whose it is, what comes in, what becomes of it, and who did what.
--
-- Conventions: `x` is the integer key of table `x`, `x_id` the identifier that users see. Times are milliseconds since
-- 1970 in UTC. JSON is text in canonical form (sorted keys). Integer keys are given in order of arrival; an index on a
-- value that comes in that order costs 2-3 µs a row, one on a random value 6-8 µs, so each index names who needs it.

CREATE TABLE domain (
    domain     INTEGER PRIMARY KEY,
    domain_id  TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE workspace (
    workspace         INTEGER PRIMARY KEY,
    workspace_id      TEXT NOT NULL UNIQUE,
    domain            INTEGER NOT NULL REFERENCES domain,
    name              TEXT NOT NULL,
    -- The number of the newest alert; written once per commit, so that numbers never come back after a removal.
    last_alert_number INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL
) STRICT;

CREATE INDEX workspace_of_domain ON workspace (domain);

CREATE TABLE project (
    project    INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL UNIQUE,
    workspace  INTEGER NOT NULL REFERENCES workspace,
    name       TEXT NOT NULL,
    tags       TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX project_of_workspace ON project (workspace);

-- A project without a row here takes no deliveries.
CREATE TABLE project_alert_config (
    project              INTEGER PRIMARY KEY REFERENCES project,
    recovery_mode        TEXT NOT NULL CHECK (recovery_mode IN ('MANUAL', 'AUTO')),
    notification_urgency TEXT NOT NULL CHECK (notification_urgency IN ('ALL', 'HIGH_ONLY')),
    recovery_hold        INTEGER NOT NULL,
    created_at           INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook (
    webhook    INTEGER PRIMARY KEY,
    webhook_id TEXT NOT NULL UNIQUE,
    project    INTEGER NOT NULL REFERENCES project,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('ENABLED', 'DISABLED')),
    plugin     TEXT NOT NULL,
    options    TEXT NOT NULL DEFAULT '{}',
    tags       TEXT NOT NULL DEFAULT '{}',
    created_at INTEGER NOT NULL,
    -- A deleted webhook stays for the events that came through it.
    deleted_at INTEGER,
    -- How many deliveries it took, and how many of them were not wholly understood, up to `counted.delivery`.
    total      INTEGER NOT NULL DEFAULT 0,
    error      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX webhook_name ON webhook (project, name) WHERE deleted_at IS NULL;

CREATE TABLE access_key (
    key_id     TEXT PRIMARY KEY,
    webhook    INTEGER NOT NULL REFERENCES webhook,
    digest     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

CREATE INDEX access_key_of_webhook ON access_key (webhook);

CREATE TABLE token (
    token      INTEGER PRIMARY KEY,
    token_id   TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL UNIQUE,
    role       TEXT NOT NULL,
    -- {"domains": null | [..], "workspaces": null | [..], "projects": null | [..]}; null reaches all.
    scope      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- Which mapping read an event: kept whole, so that an event can be read again the same way.
CREATE TABLE mapping (
    mapping  INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    version  TEXT NOT NULL,
    text     TEXT NOT NULL,
    UNIQUE (provider, version)
) STRICT;

CREATE TABLE delivery (
    delivery    INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL UNIQUE,
    webhook     INTEGER NOT NULL REFERENCES webhook,
    state       TEXT NOT NULL,
    ignored     TEXT,
    items       INTEGER NOT NULL,
    -- Items that are not understood yet.
    dead        INTEGER NOT NULL,
    -- Its events are in the event table from this row on, one after the other, so no index is needed to find them.
    first_event INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    -- What the sender calls this delivery, and the digest of the body it sent by that name.
    sender_id   TEXT,
    digest      BLOB,
    remote      TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

-- A sender's retry is found before anything is stored.
CREATE UNIQUE INDEX delivery_retry ON delivery (webhook, sender_id) WHERE sender_id IS NOT NULL;
-- The deliveries of a webhook, newest first.
CREATE INDEX delivery_of_webhook ON delivery (webhook);
-- What waits to be driven again; few rows.
CREATE INDEX delivery_dead ON delivery (delivery) WHERE dead > 0;

-- What was posted, in a table of its own, so that lists do not read it.
CREATE TABLE payload (
    delivery INTEGER PRIMARY KEY REFERENCES delivery,
    -- 0: `content` as it is; 1: compressed by zlib.
    packing  INTEGER NOT NULL,
    -- Headers and query as one line of JSON, a line feed, and the body.
    content  BLOB NOT NULL
) STRICT;

CREATE TABLE dead_item (
    delivery    INTEGER NOT NULL REFERENCES delivery,
    -- Its place in the payload; -1 where the payload as a whole was not understood.
    item        INTEGER NOT NULL,
    cause       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    file        TEXT,
    line        INTEGER,
    path        TEXT,
    -- The event of type ERROR that says so.
    error_event INTEGER,
    PRIMARY KEY (delivery, item)
) STRICT, WITHOUT ROWID;

-- The events that items became when they were driven again, since they do not stand beside the delivery's others.
CREATE TABLE redriven (
    delivery INTEGER NOT NULL REFERENCES delivery,
    item     INTEGER NOT NULL,
    event    INTEGER NOT NULL,
    PRIMARY KEY (delivery, item)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert (
    alert           INTEGER PRIMARY KEY,
    alert_id        TEXT NOT NULL UNIQUE,
    workspace       INTEGER NOT NULL REFERENCES workspace,
    alert_number    INTEGER NOT NULL,
    project         INTEGER NOT NULL REFERENCES project,
    event_key       TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('TRIGGERED', 'ACKNOWLEDGED', 'RESOLVED', 'ERROR')),
    title           TEXT,
    description     TEXT,
    rule            TEXT,
    image_url       TEXT,
    resources       TEXT NOT NULL,
    -- NULL only where it was imported without.
    provider        TEXT,
    account         TEXT,
    additional_info TEXT NOT NULL,
    assignee        TEXT,
    responder       TEXT,
    triggered_by    TEXT NOT NULL,
    webhook         INTEGER REFERENCES webhook,
    created_at      INTEGER NOT NULL,
    acknowledged_at INTEGER,
    resolved_at     INTEGER,
    -- When the recovery occurred that resolved it; NULL where a person or a timer did.
    recovered_at    INTEGER,
    ending          TEXT,
    deleted_at      INTEGER,
    -- 0 while it is open, else its own number.
    closed          INTEGER NOT NULL GENERATED ALWAYS AS
                    (CASE WHEN state = 'RESOLVED' OR deleted_at IS NOT NULL THEN alert ELSE 0 END) VIRTUAL
) STRICT;

-- How an alert stands: what each of its events may change, apart from the rest, so that many such rows share a page and
-- a commit that many events join writes few pages.
CREATE TABLE standing (
    alert         INTEGER PRIMARY KEY REFERENCES alert,
    severity      TEXT NOT NULL,
    urgency       TEXT NOT NULL CHECK (urgency IN ('LOW', 'HIGH')),
    event_count   INTEGER NOT NULL,
    last_event_at INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) STRICT;

-- At most one open alert per key: the database itself refuses a second one. The same index finds the last closed alert of
-- a key and the alerts of a key in a list; keys come in no order, so a second index on them would cost a page a row.
CREATE UNIQUE INDEX alert_of_key ON alert (project, event_key, closed);
CREATE UNIQUE INDEX alert_number ON alert (workspace, alert_number);
-- Newest first, of a project and of all.
CREATE INDEX alert_of_project ON alert (project, created_at);
CREATE INDEX alert_by_time ON alert (created_at);
-- The open ones, loaded at start and listed most.
CREATE INDEX alert_still_open ON alert (project, created_at) WHERE state <> 'RESOLVED' AND deleted_at IS NULL;

CREATE TABLE event (
    event           INTEGER PRIMARY KEY,
    event_id        TEXT NOT NULL UNIQUE,
    alert           INTEGER REFERENCES alert,
    webhook         INTEGER NOT NULL REFERENCES webhook,
    project         INTEGER NOT NULL REFERENCES project,
    delivery        INTEGER NOT NULL REFERENCES delivery,
    item            INTEGER NOT NULL,
    event_key       TEXT NOT NULL,
    event_type      TEXT NOT NULL CHECK (event_type IN ('ALERT', 'RECOVERY', 'ERROR')),
    severity        TEXT NOT NULL,
    title           TEXT,
    description     TEXT,
    rule            TEXT,
    image_url       TEXT,
    resources       TEXT NOT NULL,
    -- NULL only where it was imported without.
    provider        TEXT,
    account         TEXT,
    additional_info TEXT NOT NULL,
    occurred_at     INTEGER,
    created_at      INTEGER NOT NULL,
    -- What read it; NULL for an event that Alertmill made itself.
    mapping         INTEGER REFERENCES mapping,
    variant         TEXT,
    why             TEXT NOT NULL
) STRICT;

-- Newest first, of a project, of all, of an alert.
CREATE INDEX event_of_project ON event (project, created_at);
CREATE INDEX event_by_time ON event (created_at);
CREATE INDEX event_of_alert ON event (alert, created_at) WHERE alert IS NOT NULL;
-- A recovery that arrived before its firing is found when the firing comes; few rows. Events that have an alert are
-- found through it.
CREATE INDEX event_without_alert ON event (project, event_key, created_at) WHERE alert IS NULL;

-- How far the counters of `webhook` have been written; what came later is counted again at start.
CREATE TABLE counted (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    delivery INTEGER NOT NULL
) STRICT;

INSERT INTO counted (only, delivery) VALUES (1, 0);

CREATE TABLE audit (
    audit       INTEGER PRIMARY KEY,
    audit_id    TEXT NOT NULL UNIQUE,
    domain      INTEGER NOT NULL REFERENCES domain,
    sequence    INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    resource    TEXT,
    outcome     TEXT NOT NULL,
    before      TEXT,
    after       TEXT,
    remote      TEXT,
    request_id  TEXT,
    previous    BLOB NOT NULL,
    hash        BLOB NOT NULL,
    UNIQUE (domain, sequence)
) STRICT;
