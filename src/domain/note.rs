//! What people write down about an alert.
