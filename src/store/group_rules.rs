//! Group rules, and the groups that wait or are open.

use crate::{
    clock::Timestamp,
    domain::{alert::Alert, event::Event, group_rule::GroupRule, scope::Scope},
    error::Result,
    id::Id,
};

/// Group rules, and the groups that wait or are open.
pub trait GroupRules {
    /// The rule, if it exists in `scope`.
    fn group_rule(&self, scope: &Scope, id: &Id<GroupRule>) -> Result<Option<GroupRule>>;
    /// The rules in `scope`, by project, each in their order.
    fn group_rules(&self, scope: &Scope) -> Result<Vec<GroupRule>>;
    /// Adds or replaces a rule.
    fn put_group_rule(&mut self, rule: &GroupRule) -> Result<()>;
    /// Removes a rule with its groups; alerts that are parts of others stay so.
    fn delete_group_rule(&mut self, rule: &GroupRule) -> Result<()>;
    /// The alert that leads a group, and when it or its newest member opened.
    fn grouping(&self, subject: &str) -> Result<Option<(Id<Alert>, Timestamp)>>;
    /// Keeps which alert leads a group, and when it or its newest member opened.
    fn put_grouping(
        &mut self,
        rule: &Id<GroupRule>,
        subject: &str,
        led: (&Id<Alert>, Timestamp),
    ) -> Result<()>;
    /// The events of a group that came at `since` or later and wait, oldest first; at most `most`.
    fn waiting(&self, subject: &str, since: Timestamp, most: u32) -> Result<Vec<Id<Event>>>;
    /// Lets an event of a group wait.
    fn wait(
        &mut self,
        rule: &Id<GroupRule>,
        subject: &str,
        came: (&Id<Event>, Timestamp),
    ) -> Result<()>;
    /// Lets the events of a group wait no more that came before `until`; when the oldest of the others came.
    fn forget_waiting(&mut self, subject: &str, until: Timestamp) -> Result<Option<Timestamp>>;
    /// Forgets which alert leads a group.
    fn forget_grouping(&mut self, subject: &str) -> Result<()>;
}
