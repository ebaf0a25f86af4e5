//! `maintenance_window.*`: when alerts are muted because someone works on it.
