//! `alertmill rules new`: drafts a provider's rules from samples of what it posts.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen};
use crate::{
    cli::{
        client::directories_read,
        reference::{plugins_schema, rules_schema},
        show::harmless,
    },
    config::Reach,
    lab::draft::{Drafted, Posted, draft_each},
};

/// Draft a provider's rules from samples of what it posts.
#[derive(Args)]
pub(super) struct New {
    /// Payloads, one a file, as they were posted: best a problem, its recovery and a batch.
    #[arg(long = "from", value_name = "SAMPLE", required = true, num_args = 1..)]
    samples: Vec<PathBuf>,
    /// What the provider is called; the directory of the first sample, or its name, where absent.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Where `rules/<provider>/` and `plugins/<provider>/` are written.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// The list whose elements are one event each, e.g. `$.alerts[*]`; guessed where nothing is said.
    #[arg(long, value_name = "PATH")]
    each: Option<String>,
    /// Overwrite files that are there.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    reach: Reach,
}

impl New {
    /// Does it.
    pub(super) fn run(self, screen: &Screen) -> Result<(), Failure> {
        let mut posted = Vec::new();
        for path in &self.samples {
            let body = fs::read(path).map_err(|cause| unusable(path, &cause))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            posted.push(Posted { name, body });
        }
        let provider = self.provider.clone().unwrap_or_else(|| self.guessed());
        let drafted = draft_each(&provider, &posted, self.each.as_deref())
            .map_err(|error| Failure::usage(format!("{error}.")))?;
        self.write(&drafted)?;
        let mut files: Vec<&str> = drafted.files.keys().map(String::as_str).collect();
        files.extend(self.write_schemas()?);
        let mut warnings = drafted.warnings;
        warnings.extend(self.is_live());
        let answer = json!({
            "provider": provider,
            "files": files,
            "findings": drafted.findings,
            "warnings": warnings,
        });
        screen.show(&answer, |answer| self.told(answer, &provider))?;
        for warning in &warnings {
            let _ = writeln!(io::stderr().lock(), "warning: {}.", harmless(warning));
        }
        Ok(())
    }

    /// Warns where a server reads what was written, so that the draft is live.
    fn is_live(&self) -> Option<String> {
        let read = directories_read(&self.reach);
        let ours = ["rules", "plugins"].map(|name| self.out.join(name));
        let live = ours
            .iter()
            .find(|ours| fs::canonicalize(ours).is_ok_and(|ours| read.contains(&ours)))?;
        Some(format!(
            "the server of `{}` reads `{}`, so this draft is live; draft elsewhere with `--out DIR`, and move it there once it is \
             right",
            self.reach.data.display(),
            live.display()
        ))
    }

    /// The provider's name, as the place of the first sample suggests it.
    fn guessed(&self) -> String {
        let path = self.samples.first().map(|path| fs::canonicalize(path).unwrap_or(path.clone()));
        let path = path.unwrap_or_default();
        let parent = path.parent();
        let named = match parent {
            Some(parent) if parent.ends_with("samples") => {
                parent.parent().and_then(Path::file_name)
            }
            Some(_) | None => path.file_stem(),
        };
        let letters = named.unwrap_or_default().to_string_lossy().to_lowercase();
        let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
        let slug: String = letters.chars().map(plain).collect();
        slug.trim_matches('-').to_owned()
    }

    /// Writes all files, or none where one is there already.
    fn write(&self, drafted: &Drafted) -> Result<(), Failure> {
        let there: Vec<String> = drafted
            .files
            .keys()
            .map(|path| self.out.join(path))
            .filter(|path| path.exists())
            .map(|path| format!("  {}", path.display()))
            .collect();
        if !there.is_empty() && !self.force {
            return Err(Failure::refused(format!(
                "These files are there already; give `--force` to overwrite them:\n{}",
                there.join("\n")
            )));
        }
        for (path, bytes) in &drafted.files {
            let path = self.out.join(path);
            let written = match path.parent() {
                Some(directory) => fs::create_dir_all(directory),
                None => Ok(()),
            };
            written
                .and_then(|()| fs::write(&path, bytes))
                .map_err(|cause| unusable(&path, &cause))?;
        }
        Ok(())
    }

    /// Writes the schemas that the drafts name for editors, where none are yet; tells which.
    fn write_schemas(&self) -> Result<Vec<&'static str>, Failure> {
        let mut written = Vec::new();
        for (name, schema) in
            [("rules/schema.json", rules_schema()), ("plugins/schema.json", plugins_schema())]
        {
            let path = self.out.join(name);
            if !path.exists() {
                fs::write(&path, schema + "\n").map_err(|cause| unusable(&path, &cause))?;
                written.push(name);
            }
        }
        Ok(written)
    }

    fn told(&self, answer: &Value, provider: &str) -> String {
        let lines = |name: &str| {
            let list = answer.get(name).and_then(Value::as_array).into_iter().flatten();
            let lines: Vec<&str> = list.filter_map(Value::as_str).collect();
            format!("  {}\n", lines.join("\n  "))
        };
        let directory = self.out.join("rules").join(provider);
        let (directory, plugins) = (directory.display(), self.out.join("plugins"));
        format!(
            "Drafted in {0}:\n{1}\nOf the samples:\n{3}\nRead {directory}/mapping.yaml: each guess says why. Then:\n  \
             alertmill rules check {directory} --plugins {2}\n  alertmill rules test {directory} --plugins {2}",
            self.out.display(),
            lines("files"),
            plugins.display(),
            lines("findings"),
        )
    }
}

fn unusable(path: &Path, cause: &io::Error) -> Failure {
    Failure::usage(format!("`{}` cannot be used: {cause}.", path.display()))
}
