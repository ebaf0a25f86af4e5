//! How providers talk: how their bodies are encoded, how they sign, what they ask before they send events.
//!
//! All of it is data: `plugins/<name>/plugin.yaml`, embedded in the binary and overlaid by a directory. What a body
//! *means* is not here but in the mapping language. Read [`manifest`](self) files first, then [`Plugin`].

mod body_path;
mod book;
mod decode;
mod handshake;
mod manifest;
mod verify;

pub use self::{
    book::{LoadError, PluginBook},
    handshake::Handshake,
    manifest::Plugin,
    verify::Refusal,
};
