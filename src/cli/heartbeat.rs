//! `alertmill heartbeat`: manage who must be heard from.
