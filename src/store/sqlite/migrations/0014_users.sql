-- Who holds a token, if it belongs to somebody: `user:<id>` for a session, `application:<id>` for a bearer token.
ALTER TABLE token ADD COLUMN holder TEXT;

CREATE INDEX token_of_holder ON token (holder) WHERE holder IS NOT NULL;

-- Those that are over, to be removed.
CREATE INDEX token_over ON token (expires_at) WHERE holder IS NOT NULL;

-- People who log in.
CREATE TABLE user (
    user            INTEGER PRIMARY KEY,
    user_id         TEXT NOT NULL UNIQUE,
    -- As it was typed when it was made; `login` is how it is compared.
    name            TEXT NOT NULL,
    login           TEXT NOT NULL UNIQUE,
    email           TEXT,
    -- What another service that vouches for it calls it.
    external_id     TEXT UNIQUE,
    -- `$argon2id$...`; NULL where another service vouches for it.
    password        TEXT,
    role            TEXT NOT NULL,
    -- As in `token`.
    scope           TEXT NOT NULL,
    state           TEXT NOT NULL,
    -- Wrong passwords since it was let in last.
    failures        INTEGER NOT NULL DEFAULT 0,
    last_failed_at  INTEGER,
    created_at      INTEGER NOT NULL,
    password_set_at INTEGER,
    last_login_at   INTEGER
) STRICT;

-- Machines that log in, with their identifier and a secret.
CREATE TABLE application (
    application    INTEGER PRIMARY KEY,
    application_id TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL UNIQUE,
    -- The SHA-256 of 256 random bits.
    secret         BLOB NOT NULL,
    role           TEXT NOT NULL,
    scope          TEXT NOT NULL,
    state          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    secret_set_at  INTEGER NOT NULL
) STRICT;
