//! `inhibition.*`: alerts that mute others.
