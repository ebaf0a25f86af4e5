//! Sending messages: at least once, in order, no faster than their targets bear.
