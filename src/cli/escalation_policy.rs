//! `alertmill escalation-policy`: manage who is told, in which steps.
