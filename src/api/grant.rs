//! What whoever makes a token, a user or an application may give to it: no more than they have themselves.

use std::collections::BTreeSet;

use super::Call;
use crate::{
    domain::{
        project::{Domain, Project, Workspace},
        scope::{Home, Reach, Scope},
        words::Role,
    },
    error::{Code, Error, Result},
    id::Id,
    store::Tx,
};

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// What it may do.
    pub(super) role: Role,
    /// The domain it reaches; the workspace's where absent.
    pub(super) domain_id: Option<Id<Domain>>,
    /// The workspace it reaches.
    pub(super) workspace_id: Option<Id<Workspace>>,
    /// The projects it reaches, for roles that need them.
    pub(super) projects: Option<BTreeSet<Id<Project>>>,
}

impl Grant {
    /// What it reaches, if the caller may give that; `what` is what it is given to, e.g. `token`.
    pub(super) fn checked(self, tx: &dyn Tx, call: &Call, what: &str) -> Result<Scope> {
        let role = self.role;
        if !may_grant(call.caller.role, role) {
            let detail = format!("a {} may not make a {what} of role {role}", call.caller.role);
            return Err(Error::at(Code::PermissionDenied, "/role", detail));
        }
        let scope = self.scope(tx, call)?;
        if let Some(misfit) = role.misfit(&scope) {
            return Err(Error::at(Code::InvalidParameter, "/role", misfit));
        }
        if !covers(&call.caller.scope, &scope) {
            let detail = format!("a {what} reaches no further than its maker");
            return Err(Error::new(Code::PermissionDenied, detail));
        }
        Ok(scope)
    }

    /// What is named, looked up: what is absent for the caller is absent here.
    fn scope(self, tx: &dyn Tx, call: &Call) -> Result<Scope> {
        let Self { role: _, domain_id, workspace_id, projects } = self;
        if let Some(id) = &domain_id {
            super::domain::existing(tx, call, id)?;
        }
        let workspace =
            workspace_id.map(|id| super::workspace::existing(tx, call, &id)).transpose()?;
        if let (Some(domain), Some(workspace)) = (&domain_id, &workspace)
            && workspace.domain_id != *domain
        {
            return Err(Error::not_found("workspace", &workspace.workspace_id));
        }
        for id in projects.iter().flatten() {
            let project = tx.project(&call.caller.scope, id)?;
            let is_there = |home: &Home| {
                workspace
                    .as_ref()
                    .is_none_or(|workspace| workspace.workspace_id == home.workspace_id)
            };
            if !project.is_some_and(|project| is_there(&project.home)) {
                return Err(Error::not_found("project", id));
            }
        }
        let domain_id = domain_id.or_else(|| workspace.as_ref().map(|it| it.domain_id.clone()));
        Ok(Scope {
            domains: domain_id.map_or(Reach::All, Reach::one),
            workspaces: workspace
                .map_or(Reach::All, |workspace| Reach::one(workspace.workspace_id)),
            projects: projects.map_or(Reach::All, Reach::Only),
        })
    }
}

/// Whether the caller may make what has this role and this scope, and so manage it.
pub(super) fn governs(call: &Call, role: Role, scope: &Scope) -> bool {
    may_grant(call.caller.role, role) && covers(&call.caller.scope, scope)
}

/// Whether a holder of role `own` may make what has the role `granted`.
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

/// Whether all that `inner` reaches lies within `outer`.
pub(super) fn covers(outer: &Scope, inner: &Scope) -> bool {
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

/// What is named of one level of a scope; `None` for all.
pub(super) fn named<T: Ord>(reach: Reach<T>) -> Option<BTreeSet<T>> {
    match reach {
        Reach::All => None,
        Reach::Only(some) => Some(some),
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
