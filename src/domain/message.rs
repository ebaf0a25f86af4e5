//! One message to one target.
