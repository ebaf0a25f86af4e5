//! Event rules.

use crate::{
    domain::{
        event_rule::{EventRule, RulePlace},
        scope::Scope,
    },
    error::Result,
    id::Id,
};

/// Event rules.
pub trait EventRules {
    /// The rule, if it exists in `scope`; those of a workspace are seen by whoever sees a part of it.
    fn event_rule(&self, scope: &Scope, id: &Id<EventRule>) -> Result<Option<EventRule>>;
    /// The rules in `scope`: those of workspaces, of projects, of webhooks, each in their order.
    fn event_rules(&self, scope: &Scope) -> Result<Vec<EventRule>>;
    /// The rules of one webhook, project or workspace, in their order.
    fn event_rules_of(&self, place: &RulePlace) -> Result<Vec<EventRule>>;
    /// Adds or replaces a rule.
    fn put_event_rule(&mut self, rule: &EventRule) -> Result<()>;
    /// Removes a rule.
    fn delete_event_rule(&mut self, rule: &EventRule) -> Result<()>;
}
