//! How providers talk: how their bodies are encoded, how they sign, what they ask before they send events.
//!
//! All of it is data: `plugins/<name>/plugin.yaml`, embedded in the binary and overlaid by a directory; where that is not
//! enough, a script beside it. What a body *means* is not here but in the mapping language, or in that script. Start with
//! a manifest, then [`Plugin`], which is all that others see.

mod body_path;
mod book;
#[cfg(test)]
mod cases;
mod decode;
mod defaults;
mod handshake;
mod manifest;
mod place;
mod reply;
mod scheme;
mod script;
mod verify;

pub use self::{
    book::PluginBook,
    defaults::{Brought, CAME_WITH, Defaults},
    handshake::{Handshake, Method},
    manifest::{Plugin, setup_snippet},
    script::{Made, Posted, Script},
    verify::Refusal,
};

/// The schema of `plugin.yaml`, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(manifest::Manifest).to_value()
}
