-- Who holds a token, if it belongs to somebody: `user:<id>` for a session, `application:<id>` for a bearer token.
ALTER TABLE token ADD COLUMN holder TEXT;

CREATE INDEX token_of_holder ON token (holder) WHERE holder IS NOT NULL;
