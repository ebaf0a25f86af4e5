//! Escalation policies.

/// Escalation policies.
pub trait EscalationPolicies {}
