//! `on_call.*`: who is on call when.
