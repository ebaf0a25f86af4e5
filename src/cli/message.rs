//! `alertmill message`: see messages, and send again what failed.
