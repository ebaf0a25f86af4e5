//! How providers talk.
