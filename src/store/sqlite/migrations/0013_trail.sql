-- The audit trail with everything that is known of who did what, and with chains for what other services report.

ALTER TABLE audit RENAME TO audit_before;

CREATE TABLE audit (
    audit       INTEGER PRIMARY KEY,
    audit_id    TEXT NOT NULL UNIQUE,
    domain      INTEGER NOT NULL REFERENCES domain,
    trail       TEXT NOT NULL CHECK (trail IN ('OWN', 'POSTED', 'EVENT', 'AUDIT_EVENT', 'COMMUNICATION_EVENT')),
    -- Its number in its chain, from one, without gaps.
    sequence    INTEGER NOT NULL,
    -- How its hash is made.
    format      INTEGER NOT NULL,
    -- What its sender calls it.
    posted_id   TEXT,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    actor_type  TEXT NOT NULL,
    actor_id    TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    action      TEXT NOT NULL,
    entity_type TEXT,
    entity_id   TEXT,
    entity_name TEXT,
    -- SUCCESS, or the code of an error.
    outcome     TEXT NOT NULL,
    reason      TEXT,
    before      TEXT,
    after       TEXT,
    remote      TEXT,
    user_agent  TEXT,
    request_id  TEXT,
    -- What else its sender said, as it came.
    details     TEXT NOT NULL,
    previous    BLOB NOT NULL,
    hash        BLOB NOT NULL,
    UNIQUE (domain, trail, sequence)
) STRICT;

-- Records from before keep their hashes, and how these are made.
INSERT INTO audit (audit, audit_id, domain, trail, sequence, format, occurred_at, received_at, actor_type, actor_id,
                   actor_name, action, entity_type, entity_id, outcome, before, after, remote, request_id, details,
                   previous, hash)
SELECT audit, audit_id, domain, 'OWN', sequence, 1, occurred_at, occurred_at,
       substr(actor, 1, instr(actor, ':') - 1), substr(actor, instr(actor, ':') + 1),
       substr(actor, instr(actor, ':') + 1), action,
       substr(resource, 1, instr(resource, ':') - 1), substr(resource, instr(resource, ':') + 1),
       outcome, before, after, remote, request_id, '{}', previous, hash
FROM audit_before;

DROP TABLE audit_before;

-- A sender that repeats itself is found out.
CREATE UNIQUE INDEX audit_posted ON audit (domain, trail, posted_id) WHERE posted_id IS NOT NULL;
