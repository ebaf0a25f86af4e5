//! `message.*`: messages, and what became of them.
