//! `alertmill rules test`: holds samples to what stands beside them.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen, check::counted, source::Source};
use crate::{
    config::{RuleFiles, UpdateSamples},
    lab::samples::{SampleResult, Update, check_samples},
};

/// Hold samples to what stands beside them.
#[derive(Args)]
pub(super) struct Test {
    /// Directory of mappings, or the directory of one provider; that of `--rules`, or the built-in ones where absent.
    path: Option<PathBuf>,
    #[command(flatten)]
    update: UpdateSamples,
}

impl Test {
    /// Does it.
    pub(super) fn run(&self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let source = Source::find(self.path.as_deref(), files)?;
        let update = if self.update.update { Update::Rewrite } else { Update::Compare };
        let results = check_samples(&source.shelf, &source.books, update)
            .map_err(|cause| Failure::usage(format!("The samples cannot be read: {cause}.")))?;
        let results: Vec<SampleResult> =
            results.into_iter().filter(|result| source.means(&result.provider)).collect();
        let wrong: Vec<&SampleResult> =
            results.iter().filter(|result| !result.is_right()).collect();
        let shown: Vec<Value> = results.iter().map(sample).collect();
        screen.show(&json!({ "results": shown, "wrong": wrong.len() }), |_| {
            format!("{}, {} not as they should be.", counted(results.len(), "sample"), wrong.len())
        })?;
        if wrong.is_empty() {
            return Ok(());
        }
        let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        Err(Failure::refused(lines.join("\n")))
    }
}

fn sample(result: &SampleResult) -> Value {
    json!({ "file": result.file, "right": result.is_right(), "said": result.to_string() })
}
