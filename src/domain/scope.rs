//! Where a record lives, and what a caller may see.

use std::collections::BTreeSet;

use super::project::{Domain, Project, Workspace};
use crate::id::Id;

/// Where a record lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its domain: one organisation.
    pub domain_id: Id<Domain>,
    /// Its workspace: one part of the organisation, with its own alert numbers.
    pub workspace_id: Id<Workspace>,
    /// Its project: what one team looks after.
    pub project_id: Id<Project>,
}

/// Which of several things are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<T: Ord> {
    /// All there are.
    All,
    /// Only these.
    Only(BTreeSet<T>),
}

/// What a caller may see: an argument of every store method that reads what belongs to someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The domains it reaches.
    pub domains: Reach<Id<Domain>>,
    /// The workspaces it reaches, within those domains.
    pub workspaces: Reach<Id<Workspace>>,
    /// The projects it reaches, within those workspaces.
    pub projects: Reach<Id<Project>>,
}

impl<T: Ord> Reach<T> {
    /// Whether it means `one` too.
    pub fn contains(&self, one: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(some) => some.contains(one),
        }
    }

    /// Just this one, if it means it at all.
    #[must_use]
    pub fn narrowed(&self, one: &T) -> Self
    where
        T: Clone,
    {
        if self.contains(one) { Self::one(one.clone()) } else { Self::Only(BTreeSet::new()) }
    }

    /// Just this one.
    pub fn one(one: T) -> Self {
        Self::Only(BTreeSet::from([one]))
    }
}

impl Scope {
    /// Everything there is; for the system itself and its administrators.
    pub const EVERYTHING: Self =
        Self { domains: Reach::All, workspaces: Reach::All, projects: Reach::All };

    /// Whether a record that lives at `home` may be seen.
    pub fn contains(&self, home: &Home) -> bool {
        self.domains.contains(&home.domain_id)
            && self.workspaces.contains(&home.workspace_id)
            && self.projects.contains(&home.project_id)
    }

    /// Whether it is a whole workspace, all projects included.
    pub fn contains_workspace(&self, domain: &Id<Domain>, workspace: &Id<Workspace>) -> bool {
        self.projects == Reach::All
            && self.domains.contains(domain)
            && self.workspaces.contains(workspace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(project: &str) -> Home {
        Home { domain_id: "d".into(), workspace_id: "w".into(), project_id: project.into() }
    }

    #[test]
    fn a_member_without_projects_sees_nothing() {
        let scope = Scope { projects: Reach::Only(BTreeSet::new()), ..Scope::EVERYTHING };
        assert!(!scope.contains(&home("p")));
    }

    #[test]
    fn each_level_narrows_the_one_above() {
        let member = Scope { projects: Reach::one("p".into()), ..Scope::EVERYTHING };
        assert!(member.contains(&home("p")));
        assert!(!member.contains(&home("q")));
        let elsewhere = Scope { workspaces: Reach::one("other".into()), ..member };
        assert!(!elsewhere.contains(&home("p")));
    }
}
