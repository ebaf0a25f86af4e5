//! `group_rule.*`: grouping beyond the key.
