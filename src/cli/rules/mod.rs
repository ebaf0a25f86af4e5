//! `alertmill rules`: what is done with mappings, their samples and stored deliveries; one file per verb.

mod check;
mod coverage;
mod diff;
pub(in crate::cli) mod explain;
mod list;
mod new;
mod reload;
mod source;
mod test;

use clap::{Args, Subcommand};

use super::{Failure, show::Screen};
use crate::{config::RuleFiles, ingest::Books, load_error::LoadError};

/// Draft, check, test, explain and compare the mappings; most of it needs no server.
#[derive(Args)]
pub(super) struct Rules {
    #[command(flatten)]
    files: RuleFiles,
    /// Print JSON instead of tables and sentences.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Tell everything that is wrong with the mappings and plugins.
    Check(check::Check),
    /// Hold samples to what stands beside them.
    Test(test::Test),
    /// Say what a payload becomes, and where each value of it came from.
    Explain(explain::Explain),
    /// List the mappings, with their samples.
    List(list::List),
    /// Draft a provider's rules from samples of what it posts.
    New(new::New),
    Diff(diff::Diff),
    Coverage(coverage::Coverage),
    Reload(reload::Reload),
}

impl Rules {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let Self { files, json, verb } = self;
        let screen = Screen::new(json);
        match verb {
            Verb::Check(check) => check.run(&files, &screen),
            Verb::Test(test) => test.run(&files, &screen),
            Verb::Explain(explain) => explain.run(&files, &screen),
            Verb::List(list) => list.run(&files, &screen),
            Verb::New(new) => new.run(&screen),
            Verb::Diff(diff) => diff.run(&files, &screen).await,
            Verb::Coverage(coverage) => coverage.run(&files, &screen).await,
            Verb::Reload(reload) => reload.run(&screen).await,
        }
    }
}

/// The rules and plugins that are meant: the built-in ones, overlaid by the directories that were named.
fn books(files: &RuleFiles) -> Result<Books, Failure> {
    Books::load(files.rules.as_deref(), files.plugins.as_deref())
        .map_err(|mistakes| wrong(&mistakes))
}

/// Everything that is wrong, one mistake a line.
fn wrong(mistakes: &[LoadError]) -> Failure {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    Failure::refused(lines.join("\n"))
}
