//! Recurring windows in a time zone.
