//! What projects have their events indexed by.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        project::{IndexedField, Project},
        scope::Scope,
    },
    error::Result,
    id::Id,
};

/// The paths that projects have an index on.
pub trait IndexedFields {
    /// Those of the projects in `scope` that have any.
    fn indexed_fields(
        &self,
        scope: &Scope,
    ) -> Result<BTreeMap<Id<Project>, BTreeSet<IndexedField>>>;
    /// Makes the indexes that a project has not yet, and drops those that are not among `fields`. Nothing else is
    /// written meanwhile, so it refuses to where there are many events.
    fn put_indexed_fields(
        &mut self,
        project: &Id<Project>,
        fields: &BTreeSet<IndexedField>,
    ) -> Result<()>;
}
