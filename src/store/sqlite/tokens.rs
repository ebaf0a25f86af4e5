//! Tokens.

use std::collections::BTreeSet;

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::{
    live::Changed,
    rows::{Columns, json, maybe_millis, millis},
    work::Work,
};
use crate::{
    digest::Digest,
    domain::{
        scope::{Reach, Scope},
        token::{Holder, Token},
    },
    error::{Error, Result},
    id::Id,
    store::Tokens,
};

/// What is read of a token.
pub(super) const SELECT: &str = "SELECT token_id, name, digest, role, scope, created_at, expires_at, revoked_at, holder FROM token";

/// A scope as the file keeps it: each level a list, or null for all.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptScope {
    domains: Option<Vec<String>>,
    workspaces: Option<Vec<String>>,
    projects: Option<Vec<String>>,
}

fn kept<K>(reach: &Reach<Id<K>>) -> Option<Vec<String>> {
    match reach {
        Reach::All => None,
        Reach::Only(some) => Some(some.iter().map(|id| id.as_str().to_owned()).collect()),
    }
}

fn reach<K>(kept: Option<Vec<String>>) -> Reach<Id<K>> {
    kept.map_or(Reach::All, |some| {
        Reach::Only(some.into_iter().map(Id::from).collect::<BTreeSet<_>>())
    })
}

/// A scope as the file keeps it.
pub(super) fn kept_scope(scope: &Scope) -> Result<String> {
    let Scope { domains, workspaces, projects } = scope;
    json(&KeptScope {
        domains: kept(domains),
        workspaces: kept(workspaces),
        projects: kept(projects),
    })
}

/// A scope that the file kept.
pub(super) fn read_scope(scope: KeptScope) -> Scope {
    Scope {
        domains: reach(scope.domains),
        workspaces: reach(scope.workspaces),
        projects: reach(scope.projects),
    }
}

impl Work {
    /// The token with this digest, if it exists.
    pub(super) fn token_by_digest(&self, digest: &Digest) -> Result<Option<Token>> {
        self.one(&format!("{SELECT} WHERE digest = ?1"), [digest.as_slice()], token)
    }
}

impl Tokens for Work {
    fn token(&self, id: &Id<Token>) -> Result<Option<Token>> {
        self.one(&format!("{SELECT} WHERE token_id = ?1"), [id.as_str()], token)
    }

    fn tokens(&self) -> Result<Vec<Token>> {
        self.many(&format!("{SELECT} ORDER BY token"), [], token)
    }

    fn put_token(&mut self, token: &Token) -> Result<()> {
        self.put(
            "INSERT INTO token (token_id, name, digest, role, scope, created_at, expires_at, revoked_at, holder)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (token_id) DO UPDATE SET name = excluded.name, role = excluded.role,
                 scope = excluded.scope, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at",
            params![
                token.token_id.as_str(),
                token.name,
                token.digest.as_slice(),
                token.role.as_str(),
                kept_scope(&token.scope)?,
                millis(token.created_at),
                maybe_millis(token.expires_at),
                maybe_millis(token.revoked_at),
                written(&token.holder)
            ],
        )?;
        self.live()?.borrow_mut().note(Changed::Token(token.digest));
        Ok(())
    }
}

/// A token, as [`SELECT`] reads it.
pub(super) fn token(row: &Row<'_>) -> Result<Token> {
    let mut columns = Columns::of(row);
    let (token_id, name) = (columns.id()?, columns.text()?);
    let (digest, role) = (columns.digest()?, columns.word()?);
    let scope = read_scope(columns.json()?);
    Ok(Token {
        token_id,
        name,
        digest,
        role,
        scope,
        created_at: columns.time()?,
        expires_at: columns.maybe_time()?,
        revoked_at: columns.maybe_time()?,
        holder: holder(columns.get()?)?,
    })
}

/// A holder as the file keeps it.
pub(super) fn written(holder: &Holder) -> Option<String> {
    match holder {
        Holder::Nobody => None,
        Holder::User(id) => Some(format!("user:{id}")),
        Holder::Application(id) => Some(format!("application:{id}")),
    }
}

fn holder(written: Option<String>) -> Result<Holder> {
    let Some(written) = written else { return Ok(Holder::Nobody) };
    match written.split_once(':') {
        Some(("user", id)) => Ok(Holder::User(id.into())),
        Some(("application", id)) => Ok(Holder::Application(id.into())),
        Some(_) | None => Err(Error::internal("nobody can hold a token like that")),
    }
}
