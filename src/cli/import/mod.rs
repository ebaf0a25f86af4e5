//! `alertmill import`: events or alerts from another store, from our exports or from the original's lists.

mod backwards;
mod source;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use self::source::{Chunk, Source};
use super::{Failure, client::Client, show::Screen};
use crate::{config::Reach, value::text::counted};

/// How many refused lines are told one by one.
const TOLD: usize = 100;

/// How many things that were made are named at most.
const NAMED: usize = 10;

/// What is made where it is not there, as an import's answer names it.
const MADE: [&str; 4] = ["domains", "workspaces", "projects", "webhooks"];

/// Bring in events or alerts from another store. What is there already stays as it is, so an import may be repeated.
/// Import alerts before their events.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    reach: Reach,
    /// What the files hold.
    #[arg(value_enum)]
    what: What,
    /// The files: one JSON object a line, as `export` writes them, or what a list of Cloudforet's API answers; gzip is
    /// undone. `-` reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Events.
    Events,
    /// Alerts.
    Alerts,
}

impl What {
    const fn path(self) -> &'static str {
        match self {
            Self::Events => "/api/v1/event/import",
            Self::Alerts => "/api/v1/alert/import",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Alerts => "alerts",
        }
    }
}

/// What became of all lines so far.
#[derive(Debug, Default)]
struct Done {
    imported: u64,
    unchanged: u64,
    refused: u64,
    orphaned: u64,
    created: [BTreeSet<String>; MADE.len()],
    errors: Vec<Value>,
}

impl Import {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = Client::find(&self.reach)?;
        let mut done = Done::default();
        for file in &self.files {
            self.bring(&client, Source::open(file)?, &mut done).await?;
        }
        done.errors.sort_by_key(|error| {
            (error["file"].as_str().map(str::to_owned), error["line"].as_u64())
        });
        for error in &done.errors {
            let text = |name: &str| error[name].as_str().unwrap_or_default();
            let at = format!("{}:{}", text("file"), error["line"]);
            let told = format!("{at} {}: {}", text("pointer"), text("detail"));
            let _ = writeln!(io::stderr().lock(), "{}", super::show::harmless(&told));
        }
        let refused = done.refused;
        let answer = done.answer();
        Screen::new(self.reach.json).show(&answer, |_| done.told(self.what))?;
        if refused == 0 { Ok(()) } else { Err(Failure::refused(refused_of(refused))) }
    }

    async fn bring(
        &self,
        client: &Client,
        mut source: Source,
        done: &mut Done,
    ) -> Result<(), Failure> {
        let bar = progress(source.bytes());
        while let Some(Chunk { body, lines }) = source.chunk()? {
            let bytes = body.len() as u64;
            let answer = client.post_lines(self.what.path(), body).await.map_err(|failure| {
                let (from, to) = (lines.iter().min(), lines.iter().max());
                let place = format!("lines {} to {}", from.unwrap_or(&0), to.unwrap_or(&0));
                Failure {
                    text: format!(
                        "{failure} It stopped at {place} of {}; an import may be repeated.",
                        source.name()
                    ),
                    ..failure
                }
            })?;
            done.add(&answer, source.name(), &lines);
            bar.inc(bytes);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

fn refused_of(refused: u64) -> String {
    if refused > TOLD as u64 {
        return format!("{refused} were refused; {TOLD} of them are told above.");
    }
    format!("{refused} were refused.")
}

fn progress(bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left");
    let bar = ProgressBar::new(bytes);
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

impl Done {
    /// Adds what became of a chunk whose lines have these numbers in their file.
    fn add(&mut self, answer: &Value, file: &str, lines: &[u64]) {
        let count = |name: &str| answer[name].as_u64().unwrap_or(0);
        self.imported += count("imported");
        self.unchanged += count("unchanged");
        self.refused += count("refused");
        self.orphaned += count("orphaned");
        for (made, name) in self.created.iter_mut().zip(MADE) {
            let names = answer["created"][name].as_array().into_iter().flatten();
            made.extend(names.filter_map(|name| name.as_str().map(str::to_owned)));
        }
        for error in answer["errors"].as_array().into_iter().flatten() {
            let at =
                error["line"].as_u64().and_then(|line| usize::try_from(line.checked_sub(1)?).ok());
            let line = at.and_then(|at| lines.get(at));
            if self.errors.len() < TOLD {
                let (pointer, detail) = (&error["pointer"], &error["detail"]);
                self.errors.push(
                    json!({ "file": file, "line": line, "pointer": pointer, "detail": detail }),
                );
            }
        }
    }

    fn answer(&self) -> Value {
        let created =
            MADE.iter().zip(&self.created).map(|(name, made)| ((*name).to_owned(), json!(made)));
        json!({
            "imported": self.imported,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "orphaned": self.orphaned,
            "created": created.collect::<serde_json::Map<_, _>>(),
            "errors": self.errors,
        })
    }

    fn told(&self, what: What) -> String {
        let mut text = format!("Imported {} {}", self.imported, what.name());
        if self.unchanged > 0 {
            let _ = write!(text, "; {} were there already", self.unchanged);
        }
        if self.orphaned > 0 {
            let _ = write!(
                text,
                "; {} name an alert that is not here, and have none now",
                self.orphaned
            );
        }
        text.push('.');
        for (name, made) in MADE.iter().zip(&self.created) {
            if !made.is_empty() {
                let names = made.iter().take(NAMED).map(String::as_str);
                let names = names.collect::<Vec<_>>().join(", ");
                let made_of_it = counted(made.len() as u64, name.trim_end_matches('s'));
                let _ = write!(text, "\nMade {made_of_it}: {names}");
                if made.len() > NAMED {
                    let _ = write!(text, " and {} more", made.len() - NAMED);
                }
            }
        }
        if !self.created[3].is_empty() {
            text +=
                "\nWebhooks that were made take nothing in until they are enabled and have a key.";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_file_is_told_with_the_lines_of_the_file() {
        let mut done = Done::default();
        let answer = json!({
            "imported": 2, "unchanged": 1, "refused": 1, "orphaned": 1,
            "created": { "projects": ["b", "a"], "webhooks": ["w"] },
            "errors": [{ "line": 2, "pointer": "/event_id", "detail": "no" }],
        });
        done.add(&answer, "f", &[10, 9, 8, 7]);
        assert_eq!(
            done.errors,
            [json!({ "file": "f", "line": 9, "pointer": "/event_id", "detail": "no" })]
        );
        insta::assert_snapshot!(done.told(What::Events));
        assert_eq!(done.answer()["created"]["projects"], json!(["a", "b"]));
    }
}
