//! `alertmill rules`: checks, tests and lists the mappings, without a server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    show::{Screen, field, rows, table},
};
use crate::{
    lab::samples::{SampleResult, Shelf, Update, check_samples, decode_json},
    load_error::LoadError,
    plugins::PluginBook,
    rules::{Rulebook, samples},
};

/// Check, test and list the mappings; needs no server.
#[derive(Args)]
pub(super) struct Rules {
    /// Directory of mappings that are added to the built-in ones, or replace them.
    #[arg(long = "rules", value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Tell everything that is wrong with the mappings.
    Check,
    /// Hold the samples to what stands beside them: those of `--rules`, or the built-in ones.
    Test {
        /// Rewrite what stands beside the samples of `--rules` where it differs.
        #[arg(long, requires = "directory")]
        update: bool,
    },
    /// List the mappings, with their samples.
    List,
}

impl Rules {
    /// Does it.
    pub(super) fn run(self) -> Result<(), Failure> {
        let screen = Screen::new(self.json);
        let book =
            Rulebook::load(self.directory.as_deref()).map_err(|mistakes| wrong(&mistakes))?;
        match self.verb {
            Verb::Check => {
                let providers: Vec<&str> = book.providers().collect();
                screen.show(&json!({ "providers": providers }), |_| {
                    format!("{} mappings, nothing wrong.", providers.len())
                })
            }
            Verb::Test { update } => {
                let update = if update { Update::Rewrite } else { Update::Compare };
                test(&screen, &book, self.directory, update)
            }
            Verb::List => screen.show(&mappings(&book), listed),
        }
    }
}

/// Reads every sample, and fails where one is not as it should be.
fn test(
    screen: &Screen,
    book: &Rulebook,
    rules: Option<PathBuf>,
    update: Update,
) -> Result<(), Failure> {
    let plugins = PluginBook::embedded().map_err(|mistakes| {
        Failure::usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    let decode =
        |provider: &str, body: &[u8], content_type: Option<&str>| match plugins.get(provider) {
            Some(plugin) => plugin.decode(body, content_type),
            None => decode_json(body),
        };
    let shelf = rules.map_or(Shelf::Shipped, Shelf::Directory);
    let results = check_samples(&shelf, book, &decode, update)
        .map_err(|cause| Failure::usage(format!("The samples cannot be read: {cause}.")))?;
    let wrong: Vec<&SampleResult> = results.iter().filter(|result| !result.is_right()).collect();
    let shown: Vec<Value> = results.iter().map(sample).collect();
    screen.show(&json!({ "results": shown, "wrong": wrong.len() }), |_| {
        format!("{} samples, {} not as they should be.", results.len(), wrong.len())
    })?;
    if wrong.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
    Err(Failure::refused(lines.join("\n")))
}

fn sample(result: &SampleResult) -> Value {
    json!({ "file": result.file, "right": result.is_right(), "said": result.to_string() })
}

/// Everything that is wrong, one mistake a line.
fn wrong(mistakes: &[LoadError]) -> Failure {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Failure::refused(lines.join("\n"))
}

fn mappings(book: &Rulebook) -> Value {
    let names = samples::names();
    let results: Vec<Value> = book
        .providers()
        .filter_map(|provider| {
            let mapping = book.get(provider)?;
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
