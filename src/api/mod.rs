//! What callers can ask for.
