//! `alertmill rules list`: the mappings there are, with their samples.

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen, books};
use crate::{
    cli::show::{field, rows, table},
    config::RuleFiles,
    ingest::Books,
    rules::samples,
};

/// List the mappings, with their samples.
#[derive(Args)]
pub(super) struct List {}

impl List {
    /// Does it.
    pub(super) fn run(&self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let Self {} = self;
        screen.show(&mappings(&books(files)?), listed)
    }
}

fn mappings(books: &Books) -> Value {
    let names = samples::names();
    let results: Vec<Value> = books
        .rulebook
        .providers()
        .filter_map(|provider| {
            let mapping = books.rulebook.get(provider)?;
            let start = format!("{provider}/");
            let cases: Vec<&str> =
                names.iter().filter_map(|name| name.strip_prefix(&start)).collect();
            Some(json!({
                "provider": provider,
                "title": mapping.title(),
                "variants": mapping.variants().collect::<Vec<_>>(),
                "samples": cases,
            }))
        })
        .collect();
    json!({ "results": results })
}

fn listed(answer: &Value) -> String {
    let words = |row: &Value, name: &str| {
        let list = row.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let cells = |row: &Value| {
        vec![
            field(row, "provider"),
            field(row, "title"),
            words(row, "variants"),
            words(row, "samples"),
        ]
    };
    table(
        &["PROVIDER", "TITLE", "VARIANTS", "SAMPLES"],
        rows(answer).map(cells).collect(),
        "No mappings.",
    )
}
