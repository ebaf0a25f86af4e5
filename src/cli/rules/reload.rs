//! `alertmill rules reload`: a running server loads its rules and plugins again.

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen};
use crate::{
    cli::{client::Client, show::field},
    config::Reach,
    value::text::counted,
};

/// Let a running server load its rules and plugins again: all of them, or, where there is a mistake, none.
#[derive(Args)]
pub(super) struct Reload {
    #[command(flatten)]
    reach: Reach,
}

impl Reload {
    /// Does it. What the server refuses fails it, with every mistake.
    pub(super) async fn run(self, screen: &Screen) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let answer = client.post("/api/v1/rules/reload", json!({})).await?;
        screen.show(&answer, told)
    }
}

fn told(answer: &Value) -> String {
    let count = |name: &str, what: &str| {
        let count = answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        counted(count, what)
    };
    let live = format!(
        "Version {} is live, with {} and {}.",
        field(answer, "version"),
        count("mappings", "mapping"),
        count("plugins", "plugin")
    );
    let texts = |name: &str| {
        let list = answer.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let files = texts("files");
    let mut lines = vec![match field(answer, "outcome").as_str() {
        "unchanged" => format!("No file has changed. {live}"),
        "restored" => format!("The files say again what is live. {live}"),
        _ => {
            format!("{} changed: {}. {live}", counted(files.len() as u64, "file"), files.join(", "))
        }
    }];
    lines.extend(texts("warnings").iter().map(|warning| format!("warning: {warning}")));
    lines.join("\n")
}
