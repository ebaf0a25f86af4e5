//! Paths and values of payloads: what is below both rules and plugins.
