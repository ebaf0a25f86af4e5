//! `/api/v1/plugins`: how a plugin's sender is set up.

use actix_web::web::Data;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Front,
    method::{Method, act},
};
use crate::{
    api::Call,
    domain::token::Right,
    error::{Code, Error, Result},
    load_error::did_you_mean,
};

/// The methods of this file.
pub(super) fn methods() -> Vec<Method> {
    let summary =
        "Shows a plugin that is live, with what to paste into its sender's configuration.";
    vec![
        Method::get("/api/v1/plugins/{plugin}", "plugin.get", summary, act(get)).needs(Right::Read),
    ]
}

/// Names one plugin.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OnePlugin {
    /// What it is called: the directory's name below `plugins/`.
    plugin: String,
}

/// A plugin that is live.
#[derive(Serialize, JsonSchema)]
struct PluginDetail {
    /// What it is called.
    plugin: String,
    /// What people call its sender.
    title: String,
    /// Whose mapping reads what its sender posts.
    mapping: String,
    /// What to paste into its sender's configuration, with `{url}`, `{keyless_url}` and `{key}` where those of a webhook
    /// belong: no key comes to the server, or from it, for that. Null where the plugin says nothing.
    setup: Option<String>,
}

async fn get(front: Data<Front>, _: Call, request: OnePlugin) -> Result<PluginDetail> {
    let books = front.app.intake.books.load_full();
    let name = request.plugin;
    let Some(plugin) = books.plugins.get(&name) else {
        let near = did_you_mean(&name, books.plugins.names());
        return Err(Error::new(Code::NotFound, format!("no plugin `{name}`{near}")));
    };
    Ok(PluginDetail {
        title: plugin.title().to_owned(),
        mapping: plugin.mapping().to_owned(),
        setup: plugin.setup().map(str::to_owned),
        plugin: name,
    })
}
