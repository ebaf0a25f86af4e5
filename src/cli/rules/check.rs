//! `alertmill rules check`: everything that is wrong with mappings and plugins, and what is most likely not meant.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{
    Failure, Screen,
    source::{MAPPING, Source},
};
use crate::{
    config::RuleFiles,
    ingest::Books,
    lab::{samples::Shelf, unmet::unmet_words},
    load_error::LoadError,
    rules::check,
    value::text::counted,
};

/// Tell everything that is wrong with the mappings and plugins, and what is most likely not meant.
#[derive(Args)]
pub(super) struct Check {
    /// Directory of mappings, or the directory or `mapping.yaml` of one provider; all that is loaded where absent.
    path: Option<PathBuf>,
    /// Fail where there are warnings too.
    #[arg(long)]
    deny_warnings: bool,
}

impl Check {
    /// Does it. Mistakes fail it while the rules are loaded.
    pub(super) fn run(&self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let source = Source::find(self.path.as_deref(), files)?;
        let providers: Vec<&str> =
            source.books.rulebook.providers().filter(|provider| source.means(provider)).collect();
        let (warnings, notes) = (warnings(&source)?, unread(&source));
        let mut said: Vec<String> =
            warnings.iter().map(|warning| warning.as_warning().to_string()).collect();
        said.extend(
            notes.iter().map(|LoadError { file, detail, .. }| format!("{file}: note: {detail}")),
        );
        let all_as_json = |all: &[LoadError]| all.iter().map(as_json).collect::<Vec<Value>>();
        let answer = json!({
            "providers": providers,
            "warnings": all_as_json(&warnings),
            "notes": all_as_json(&notes),
        });
        screen.show(&answer, |_| {
            let mut lines = said;
            let checked = counted(providers.len() as u64, "mapping");
            lines.push(match warnings.len() {
                0 => format!("{checked}, nothing wrong."),
                count => format!("{checked}, nothing wrong, {}.", counted(count as u64, "warning")),
            });
            lines.join("\n")
        })?;
        if self.deny_warnings && !warnings.is_empty() {
            let count = counted(warnings.len() as u64, "warning");
            return Err(Failure::refused(format!("{count}, and --deny-warnings.")));
        }
        Ok(())
    }
}

/// What is most likely not meant, in what was named.
fn warnings(source: &Source) -> Result<Vec<LoadError>, Failure> {
    let rulebook = &source.books.rulebook;
    let unmet = unmet_words(&source.shelf, &source.books)
        .map_err(|cause| Failure::usage(format!("The samples cannot be read: {cause}.")))?;
    let mut all = check::check_all(rulebook);
    all.extend(unmet);
    all.retain(|warning| source.means(warning.file.split('/').next().unwrap_or_default()));
    all.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    Ok(all)
}

/// The mappings of a directory that no plugin reads by, so that no webhook can be made for them.
fn unread(source: &Source) -> Vec<LoadError> {
    let Shelf::Directory(directory) = &source.shelf else { return Vec::new() };
    let Books { rulebook, plugins, .. } = &source.books;
    let is_read = |provider: &str| {
        plugins.names().any(|name| plugins.get(name).is_some_and(|it| it.mapping() == provider))
    };
    let own = rulebook.providers().filter(|provider| {
        source.means(provider) && directory.join(provider).join(MAPPING).is_file()
    });
    let note = |provider: &str| {
        let detail = format!(
            "no plugin reads by it, so no webhook can be made for it; expected `{provider}/plugin.yaml` in the directory of \
             `--plugins`"
        );
        LoadError::whole(format!("{provider}/{MAPPING}"), detail)
    };
    own.filter(|provider| !is_read(provider)).map(note).collect()
}

fn as_json(warning: &LoadError) -> Value {
    let LoadError { file, line, column, detail, excerpt } = warning;
    json!({ "file": file, "line": line, "column": column, "detail": detail, "excerpt": excerpt })
}
