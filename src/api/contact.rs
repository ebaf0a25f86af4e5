//! `contact.*`: how people are reached.
