//! `alertmill on-call`: manage who is on call.
