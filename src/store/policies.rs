//! Escalation policies.

use std::collections::BTreeMap;

use crate::{
    domain::{escalation::EscalationPolicy, project::Project, scope::Scope},
    error::Result,
    id::Id,
};

/// Escalation policies.
pub trait EscalationPolicies {
    /// The policy, if it exists in `scope`.
    fn escalation_policy(
        &self,
        scope: &Scope,
        id: &Id<EscalationPolicy>,
    ) -> Result<Option<EscalationPolicy>>;
    /// The policies in `scope`, by name.
    fn escalation_policies(&self, scope: &Scope) -> Result<Vec<EscalationPolicy>>;
    /// Adds or replaces a policy; `ERROR_NOT_UNIQUE` where its workspace has another of that name. One that is the
    /// default takes that from the one before.
    fn put_escalation_policy(&mut self, policy: &EscalationPolicy) -> Result<()>;
    /// Removes a policy; `ERROR_EXIST_RESOURCE` while a project has chosen it.
    fn delete_escalation_policy(&mut self, id: &Id<EscalationPolicy>) -> Result<()>;
    /// Which policy projects chose, one of them or all; those that chose none are left out.
    fn chosen_policies(
        &self,
        project: Option<&Id<Project>>,
    ) -> Result<BTreeMap<Id<Project>, Id<EscalationPolicy>>>;
    /// Keeps which policy a project chose; `None` for the default of its workspace.
    fn choose_policy(
        &mut self,
        project: &Id<Project>,
        policy: Option<&Id<EscalationPolicy>>,
    ) -> Result<()>;
}
