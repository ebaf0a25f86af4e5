//! `escalation_policy.*`: who is told, in which steps.
