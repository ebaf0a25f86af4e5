//! Links that acknowledge an alert, once asked.
