//! How projects are looked after, as the commit sees it: only what a change concerns is made anew.

use std::{collections::HashMap, sync::Arc};

use super::{Changed, Live, Undo};
use crate::{
    domain::{
        project::{Project, Workspace},
        setup::Setup,
    },
    id::Id,
};

/// Of which projects something is meant.
#[derive(Clone, Debug)]
pub(super) enum Meant {
    Project(Id<Project>),
    Workspace(Id<Workspace>),
}

impl Meant {
    fn of(changed: &Changed) -> Option<Self> {
        match changed {
            Changed::Setup(project) => Some(Self::Project(project.clone())),
            Changed::Setups(workspace) => Some(Self::Workspace(workspace.clone())),
            Changed::Webhook(_)
            | Changed::Token(_)
            | Changed::User(_)
            | Changed::Application(_) => None,
        }
    }

    /// Takes the setups that are meant out of memory.
    fn take(
        &self,
        setups: &mut HashMap<Id<Project>, Arc<Setup>>,
    ) -> Vec<(Id<Project>, Arc<Setup>)> {
        match self {
            Self::Project(project) => setups.remove_entry(project).into_iter().collect(),
            Self::Workspace(workspace) => {
                setups.extract_if(|_, setup| setup.home.workspace_id == *workspace).collect()
            }
        }
    }
}

impl Live {
    /// How a project is looked after, if it is in memory.
    pub(in crate::store::sqlite) fn setup(&self, project: &Id<Project>) -> Option<Arc<Setup>> {
        self.setups.get(project).cloned()
    }

    /// Remembers how a project is looked after.
    pub(in crate::store::sqlite) fn set_setup(&mut self, project: Id<Project>, setup: Arc<Setup>) {
        self.setups.insert(project, setup);
    }

    /// Forgets the setups that a change concerns.
    pub(super) fn forget_setups(&mut self, changed: &Changed) {
        if let Some(meant) = Meant::of(changed) {
            let before = meant.take(&mut self.setups);
            self.undo.push(Undo::Setups(meant, before));
        }
    }

    /// Puts back those that were forgotten; what was read since says what is undone.
    pub(super) fn undo_setups(&mut self, meant: &Meant, before: Vec<(Id<Project>, Arc<Setup>)>) {
        meant.take(&mut self.setups);
        self.setups.extend(before);
    }
}
