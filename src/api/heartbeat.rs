//! `heartbeat.*`: who must be heard from.
