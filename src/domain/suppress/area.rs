//! Whose alerts something is about: a whole workspace's, or those of some of its projects.

use std::collections::BTreeSet;

use crate::{
    domain::{
        project::{Domain, Project, Workspace},
        scope::{Home, Reach, Scope},
    },
    id::Id,
};

/// A workspace, or some of its projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its projects.
    pub projects: Reach<Id<Project>>,
}

impl Area {
    /// What it has that `other`, of the same workspace, has not.
    #[must_use]
    pub fn beyond(&self, other: &Self) -> Self {
        let projects = match (&self.projects, &other.projects) {
            (Reach::All, Reach::Only(_)) => Reach::All,
            (_, Reach::All) => Reach::Only(BTreeSet::new()),
            (Reach::Only(own), Reach::Only(others)) => {
                Reach::Only(own.difference(others).cloned().collect())
            }
        };
        Self { projects, ..self.clone() }
    }

    /// Whether what lives at `home` is in it.
    pub fn covers(&self, home: &Home) -> bool {
        self.workspace_id == home.workspace_id
            && self.domain_id == home.domain_id
            && self.projects.contains(&home.project_id)
    }

    /// Whether `scope` reaches any of it: then it may be seen, since it says why alerts there are muted.
    pub fn is_seen_in(&self, scope: &Scope) -> bool {
        let any = match &self.projects {
            Reach::All => true,
            Reach::Only(projects) => projects.iter().any(|it| scope.projects.contains(it)),
        };
        any && scope.domains.contains(&self.domain_id)
            && scope.workspaces.contains(&self.workspace_id)
    }

    /// Whether `scope` reaches all of it: then it may be changed.
    pub fn is_changed_in(&self, scope: &Scope) -> bool {
        let all = match &self.projects {
            Reach::All => scope.projects == Reach::All,
            Reach::Only(projects) => projects.iter().all(|it| scope.projects.contains(it)),
        };
        all && self.is_seen_in(scope)
    }

    /// Its projects as far as `scope` reaches them; `None` for all of the workspace.
    pub fn projects_in(&self, scope: &Scope) -> Option<Vec<Id<Project>>> {
        match &self.projects {
            Reach::All => None,
            Reach::Only(projects) => {
                let seen = projects.iter().filter(|it| scope.projects.contains(it));
                Some(seen.cloned().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(projects: &[&str]) -> Area {
        Area {
            domain_id: "d".into(),
            workspace_id: "w".into(),
            projects: Reach::Only(projects.iter().map(|it| (*it).into()).collect()),
        }
    }

    #[test]
    fn who_reaches_a_part_sees_it_and_who_reaches_all_changes_it() {
        let member = Scope { projects: Reach::one("p".into()), ..Scope::EVERYTHING };
        assert!(area(&["p"]).is_changed_in(&member));
        let shared = area(&["p", "q"]);
        assert!(shared.is_seen_in(&member) && !shared.is_changed_in(&member));
        assert_eq!(shared.projects_in(&member), Some(vec!["p".into()]));
        assert!(!area(&["q"]).is_seen_in(&member));
        let workspace = Area { projects: Reach::All, ..area(&[]) };
        assert!(workspace.is_seen_in(&member) && !workspace.is_changed_in(&member));
        assert!(workspace.is_changed_in(&Scope::EVERYTHING));
        let elsewhere = Scope { workspaces: Reach::one("x".into()), ..member };
        assert!(!shared.is_seen_in(&elsewhere));
    }
}
