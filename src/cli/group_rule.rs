//! `alertmill group-rule`: manage grouping beyond the key.
