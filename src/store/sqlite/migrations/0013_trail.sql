-- The audit trail: a chain of records for each domain and trail, how each chain stands (signed), and records that say
-- who did what to what, by name.

CREATE TABLE audit_chain (
    chain        INTEGER PRIMARY KEY,
    domain       INTEGER NOT NULL REFERENCES domain,
    trail        TEXT NOT NULL,
    -- The newest record.
    sequence     INTEGER NOT NULL,
    hash         BLOB NOT NULL,
    -- The newest record that retention removed.
    cut_sequence INTEGER NOT NULL DEFAULT 0,
    cut_hash     BLOB NOT NULL DEFAULT x'',
    cut_at       INTEGER,
    -- The first record that was added when this row was not as it had been signed.
    doubted_from INTEGER,
    -- Under a key that is not in the store.
    signature    BLOB NOT NULL,
    UNIQUE (domain, trail)
) STRICT;

-- How many chains there are.
CREATE TABLE audit_register (
    chains    INTEGER NOT NULL,
    signature BLOB NOT NULL
) STRICT;

ALTER TABLE audit RENAME TO audit_of_old;

CREATE TABLE audit (
    audit       INTEGER PRIMARY KEY,
    audit_id    TEXT NOT NULL,
    chain       INTEGER NOT NULL REFERENCES audit_chain,
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
    outcome     TEXT NOT NULL,
    reason      TEXT,
    before      TEXT,
    after       TEXT,
    remote      TEXT,
    user_agent  TEXT,
    request_id  TEXT,
    details     TEXT NOT NULL,
    previous    BLOB NOT NULL,
    hash        BLOB NOT NULL
) STRICT;

INSERT INTO audit_chain (domain, trail, sequence, hash, signature)
    SELECT o.domain, 'OWN', o.sequence, o.hash, x'' FROM audit_of_old o
    WHERE o.sequence = (SELECT max(n.sequence) FROM audit_of_old n WHERE n.domain = o.domain) ORDER BY o.domain;

INSERT INTO audit_register (chains, signature) SELECT count(*), x'' FROM audit_chain;

-- Who and what was one text, `kind:id`, in the first format.
INSERT INTO audit (audit, audit_id, chain, sequence, format, occurred_at, received_at, actor_type, actor_id, actor_name,
                   action, entity_type, entity_id, outcome, before, after, remote, request_id, details, previous, hash)
    SELECT o.audit, o.audit_id, c.chain, o.sequence, 1, o.occurred_at, o.occurred_at,
           iif(instr(o.actor, ':') > 0, substr(o.actor, 1, instr(o.actor, ':') - 1), o.actor),
           iif(instr(o.actor, ':') > 0, substr(o.actor, instr(o.actor, ':') + 1), ''),
           iif(instr(o.actor, ':') > 0, substr(o.actor, instr(o.actor, ':') + 1), ''),
           o.action,
           iif(instr(o.resource, ':') > 0, substr(o.resource, 1, instr(o.resource, ':') - 1), o.resource),
           iif(instr(o.resource, ':') > 0, substr(o.resource, instr(o.resource, ':') + 1), iif(o.resource IS NULL, NULL, '')),
           o.outcome, o.before, o.after, o.remote, o.request_id, '{}', o.previous, o.hash
    FROM audit_of_old o JOIN audit_chain c ON c.domain = o.domain ORDER BY o.audit;

DROP TABLE audit_of_old;

CREATE UNIQUE INDEX audit_named ON audit (audit_id);
CREATE UNIQUE INDEX audit_of_chain ON audit (chain, sequence);
CREATE UNIQUE INDEX audit_posted ON audit (chain, posted_id) WHERE posted_id IS NOT NULL;

-- A list is read along one of these: a chain, what is asked for, and the time.
CREATE INDEX audit_by_time ON audit (chain, occurred_at);
CREATE INDEX audit_by_arrival ON audit (chain, received_at);
CREATE INDEX audit_by_action ON audit (chain, action, occurred_at);
CREATE INDEX audit_by_actor_type ON audit (chain, actor_type, occurred_at);
CREATE INDEX audit_by_actor_id ON audit (chain, actor_id, occurred_at);
CREATE INDEX audit_by_actor_name ON audit (chain, actor_name, occurred_at);
CREATE INDEX audit_by_entity_type ON audit (chain, entity_type, occurred_at) WHERE entity_type IS NOT NULL;
CREATE INDEX audit_by_entity_id ON audit (chain, entity_id, occurred_at) WHERE entity_id IS NOT NULL;
CREATE INDEX audit_by_entity_name ON audit (chain, entity_name, occurred_at) WHERE entity_name IS NOT NULL;
CREATE INDEX audit_by_outcome ON audit (chain, outcome, occurred_at) WHERE outcome <> 'SUCCESS';
CREATE INDEX audit_by_failure ON audit (chain, occurred_at) WHERE outcome <> 'SUCCESS';
CREATE INDEX audit_by_remote ON audit (chain, remote, occurred_at) WHERE remote IS NOT NULL;
CREATE INDEX audit_by_request ON audit (chain, request_id, occurred_at) WHERE request_id IS NOT NULL;

-- The same for what a sender says beside: rows that do not say it are not in these.
CREATE INDEX audit_by_source ON audit (chain, json_extract(details, '$.source'), occurred_at)
    WHERE json_extract(details, '$.source') IS NOT NULL;
CREATE INDEX audit_by_severity ON audit (chain, json_extract(details, '$.severity'), occurred_at)
    WHERE json_extract(details, '$.severity') IS NOT NULL;
CREATE INDEX audit_by_classification ON audit (chain, json_extract(details, '$.classification'), occurred_at)
    WHERE json_extract(details, '$.classification') IS NOT NULL;
CREATE INDEX audit_by_visibility ON audit (chain, json_extract(details, '$.visibility'), occurred_at)
    WHERE json_extract(details, '$.visibility') IS NOT NULL;
