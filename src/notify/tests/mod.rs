//! Each kind of channel against a receiver on this machine.
