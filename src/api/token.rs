//! `token.*`: who may call.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Moment, Page, Shown,
    asked::{self, list_request},
    call::seen,
    grant::{Grant, covers, named},
};
use crate::{
    digest::{new_secret, sha256},
    domain::{
        project::{Domain, Project, Workspace},
        scope::Scope,
        token::{Holder, Token},
        words::Role,
    },
    error::{Error, Result},
    id::Id,
    query::TOKENS,
    store::Tx,
};

/// What every token begins with, so that a leaked one is recognised.
const PREFIX: &str = "amt_";

/// What a caller shows to be let in, without the token itself.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TokenInfo {
    /// Its identifier.
    pub token_id: Id<Token>,
    /// What people call it.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// The domain it reaches; all where null.
    pub domain_id: Option<Id<Domain>>,
    /// The workspaces it reaches; all of its domain where null.
    pub workspaces: Option<BTreeSet<Id<Workspace>>>,
    /// The projects it reaches; all of its workspaces where null.
    pub projects: Option<BTreeSet<Id<Project>>>,
    /// When it was made.
    pub created_at: Moment,
    /// When it stops working; never where null.
    pub expires_at: Option<Moment>,
    /// When it was taken back.
    pub revoked_at: Option<Moment>,
}

impl From<Token> for TokenInfo {
    fn from(token: Token) -> Self {
        let Token {
            token_id,
            name,
            holder: _,
            digest: _,
            role,
            scope,
            created_at,
            expires_at,
            revoked_at,
        } = token;
        let Scope { domains, workspaces, projects } = scope;
        Self {
            token_id,
            name,
            role,
            domain_id: named(domains).and_then(|domains| domains.into_iter().next()),
            workspaces: named(workspaces),
            projects: named(projects),
            created_at: created_at.into(),
            expires_at: expires_at.map(Moment),
            revoked_at: revoked_at.map(Moment),
        }
    }
}

/// A token that was made just now, which is shown this once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NewToken {
    /// What is known of it.
    #[serde(flatten)]
    pub info: TokenInfo,
    /// The token; nobody can show it again.
    pub token: String,
}

/// Asks for a new token.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What people call it.
    name: String,
    /// What its holder may do.
    role: Role,
    /// The domain it reaches; the workspace's where absent.
    domain_id: Option<Id<Domain>>,
    /// The workspace it reaches.
    workspace_id: Option<Id<Workspace>>,
    /// The projects it reaches, for roles that need them.
    projects: Option<BTreeSet<Id<Project>>>,
    /// After how many seconds it stops working; never where absent.
    expires_in: Option<u32>,
}

/// Makes a token within the caller's own reach.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateToken) -> Result<NewToken> {
    let name = asked::called("name", &request.name)?;
    let CreateToken { role, domain_id, workspace_id, projects, .. } = request;
    let grant = Grant { role, domain_id, workspace_id, projects };
    let scope = grant.checked(tx, call, "token")?;
    let expires_in = request.expires_in.map(|seconds| TimeDelta::seconds(seconds.into()));
    let text = new_secret(PREFIX).map_err(Error::internal)?;
    let token = Token {
        token_id: call.mint.id(call.now),
        name,
        holder: Holder::Nobody,
        digest: sha256(text.as_bytes()),
        role,
        scope,
        created_at: call.now,
        expires_at: expires_in.map(|lifetime| call.now + lifetime),
        revoked_at: None,
    };
    tx.put_token(&token)?;
    let info = TokenInfo::from(token);
    call.touched("token", &info.token_id, None, seen(&info));
    Ok(NewToken { info, token: text })
}

list_request! {
    /// Asks for tokens.
    ListTokens of TOKENS {
        /// Only the one with this identifier.
        token_id: Id<Token>,
        /// Only those of exactly this name.
        name: String,
        /// Only those of this role.
        role: Role,
    }
}

/// Tokens that reach no further than the caller's, oldest first where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListTokens) -> Result<Page<Shown<TokenInfo>>> {
    let query = request.checked(call.now)?;
    let tokens = tx.tokens()?.into_iter();
    // Those of users and applications are sessions, which have a list of their own.
    let visible = tokens
        .filter(|token| token.holder == Holder::Nobody && covers(&call.caller.scope, &token.scope));
    Page::listed(visible.map(TokenInfo::from), &query, &TOKENS)
}

/// Asks to take a token back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeToken {
    /// Its identifier.
    token_id: Id<Token>,
}

/// Takes a token back: it opens nothing from the next request on.
pub fn revoke(tx: &mut dyn Tx, call: &Call, request: RevokeToken) -> Result<TokenInfo> {
    let RevokeToken { token_id } = request;
    call.touches("token", &token_id);
    let token = tx.token(&token_id)?.filter(|token| covers(&call.caller.scope, &token.scope));
    let before = token.ok_or_else(|| Error::not_found("token", &token_id))?;
    let after = Token { revoked_at: before.revoked_at.or(Some(call.now)), ..before.clone() };
    tx.put_token(&after)?;
    let (before, after) = (TokenInfo::from(before), TokenInfo::from(after));
    call.touched("token", &token_id, seen(&before), seen(&after));
    Ok(after)
}
