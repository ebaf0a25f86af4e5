//! `token.*`: who may call.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Moment, Page, Shown,
    asked::{self, list_request},
    call::seen,
};
use crate::{
    digest::{new_secret, sha256},
    domain::{
        project::{Domain, Project, Workspace},
        scope::{Home, Reach, Scope},
        token::{Holder, Token},
        words::Role,
    },
    error::{Code, Error, Result},
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

fn named<T: Ord>(reach: Reach<T>) -> Option<BTreeSet<T>> {
    match reach {
        Reach::All => None,
        Reach::Only(some) => Some(some),
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
    let name = asked::name("name", &request.name)?;
    let role = request.role;
    if !may_grant(call.caller.role, role) {
        let detail = format!("a {} may not make a token of role {role}", call.caller.role);
        return Err(Error::at(Code::PermissionDenied, "/role", detail));
    }
    let expires_in = request.expires_in.map(|seconds| TimeDelta::seconds(seconds.into()));
    let scope = scope_of(tx, call, request)?;
    if let Some(misfit) = role.misfit(&scope) {
        return Err(Error::at(Code::InvalidParameter, "/role", misfit));
    }
    if !covers(&call.caller.scope, &scope) {
        let detail = "a token reaches no further than that of its maker";
        return Err(Error::new(Code::PermissionDenied, detail));
    }
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

/// Whether a holder of role `own` may make tokens of role `granted`.
const fn may_grant(own: Role, granted: Role) -> bool {
    match (own, granted) {
        (Role::SystemAdmin, _)
        | (Role::WorkspaceOwner, Role::WorkspaceOwner | Role::WorkspaceMember | Role::Service) => {
            true
        }
        (Role::WorkspaceOwner, Role::SystemAdmin | Role::DomainAdmin)
        | (Role::DomainAdmin | Role::WorkspaceMember | Role::Service, _) => false,
    }
}

/// What the request names, looked up: what is absent for the caller is absent here.
fn scope_of(tx: &dyn Tx, call: &Call, request: CreateToken) -> Result<Scope> {
    let CreateToken { name: _, role: _, domain_id, workspace_id, projects, expires_in: _ } =
        request;
    if let Some(id) = &domain_id {
        super::domain::existing(tx, call, id)?;
    }
    let workspace = workspace_id.map(|id| super::workspace::existing(tx, call, &id)).transpose()?;
    if let (Some(domain), Some(workspace)) = (&domain_id, &workspace)
        && workspace.domain_id != *domain
    {
        return Err(Error::not_found("workspace", &workspace.workspace_id));
    }
    for id in projects.iter().flatten() {
        let project = tx.project(&call.caller.scope, id)?;
        let is_there = |home: &Home| {
            workspace.as_ref().is_none_or(|workspace| workspace.workspace_id == home.workspace_id)
        };
        if !project.is_some_and(|project| is_there(&project.home)) {
            return Err(Error::not_found("project", id));
        }
    }
    let domain_id = domain_id.or_else(|| workspace.as_ref().map(|it| it.domain_id.clone()));
    Ok(Scope {
        domains: domain_id.map_or(Reach::All, Reach::one),
        workspaces: workspace.map_or(Reach::All, |workspace| Reach::one(workspace.workspace_id)),
        projects: projects.map_or(Reach::All, Reach::Only),
    })
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
    let visible = tokens.filter(|token| covers(&call.caller.scope, &token.scope));
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

/// Whether all that `inner` reaches lies within `outer`.
fn covers(outer: &Scope, inner: &Scope) -> bool {
    reaches(&outer.domains, &inner.domains)
        && reaches(&outer.workspaces, &inner.workspaces)
        && reaches(&outer.projects, &inner.projects)
}

fn reaches<T: Ord>(outer: &Reach<T>, inner: &Reach<T>) -> bool {
    match (outer, inner) {
        (Reach::All, _) => true,
        (Reach::Only(_), Reach::All) => false,
        (Reach::Only(outer), Reach::Only(inner)) => inner.is_subset(outer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(workspace: &str, projects: Option<&[&str]>) -> Scope {
        let ids = |ids: &[&str]| ids.iter().map(|&id| id.into()).collect();
        Scope {
            domains: Reach::one("d".into()),
            workspaces: Reach::one(workspace.into()),
            projects: projects.map_or(Reach::All, |projects| Reach::Only(ids(projects))),
        }
    }

    #[test]
    fn a_scope_covers_what_reaches_no_further() {
        let owner = scope("w", None);
        assert!(covers(&Scope::EVERYTHING, &owner));
        assert!(covers(&owner, &owner));
        assert!(covers(&owner, &scope("w", Some(&["p"]))));
        assert!(!covers(&owner, &scope("v", Some(&["p"]))));
        assert!(!covers(&owner, &Scope::EVERYTHING));
        assert!(!covers(&scope("w", Some(&["p"])), &scope("w", Some(&["p", "q"]))));
    }

    #[test]
    fn nobody_grants_more_than_the_own_role() {
        for granted in Role::ALL {
            assert!(may_grant(Role::SystemAdmin, *granted));
            assert!(!may_grant(Role::Service, *granted));
        }
        assert!(!may_grant(Role::WorkspaceOwner, Role::DomainAdmin));
    }
}
