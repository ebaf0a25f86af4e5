//! Samples: payloads that must become what stands beside them.
//!
//! `rules/<provider>/samples/<case>.json` (or `.body`) is a payload, `<case>.request.yaml` the request around it where
//! that matters, `<case>.events.json` what it must become.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{posted::Posted, problems::check_problems, reading::ReadingInfo};
use crate::{
    ingest::Books,
    rules::samples::{SampleRequest, case_of, files},
};

/// Where samples are.
#[derive(Clone, Debug)]
pub enum Shelf {
    /// In the binary.
    Shipped,
    /// Below a rules directory.
    Directory(PathBuf),
}

/// Whether expectations are compared or rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// They are compared.
    Compare,
    /// They are rewritten where they differ; only in a directory.
    Rewrite,
}

/// What is held to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// A sample, to what stands beside it.
    Sample,
    /// The samples of one problem, to one key that no other problem has: a row of `problems.yaml`.
    Problem,
}

/// What came of one sample, or of one row of `problems.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleResult {
    /// Which of them it is.
    pub checked: Checked,
    /// The payload's file, or `problems.yaml`, relative to its rules directory.
    pub file: String,
    /// The provider.
    pub provider: String,
    /// What it shows, e.g. `firing`; for a row `problem: firing, resolved`.
    pub case: String,
    /// Whether it holds.
    pub verdict: Verdict,
}

/// Whether a sample holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It becomes what it must.
    Holds,
    /// It becomes something else.
    Differs(Vec<Difference>),
    /// Nobody has said yet what it must become.
    Unsaid,
    /// What it must become was rewritten.
    Rewritten,
    /// It cannot be read: why.
    Broken(String),
}

/// One place where what came differs from what was expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The place in the expectation, as a JSON pointer.
    pub pointer: String,
    /// What stands there; `None` where nothing does.
    pub expected: Option<Value>,
    /// What came; `None` where nothing did.
    pub actual: Option<Value>,
}

impl SampleResult {
    /// Whether the sample is as it should be.
    pub fn is_right(&self) -> bool {
        matches!(self.verdict, Verdict::Holds | Verdict::Rewritten)
    }
}

impl std::fmt::Display for SampleResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { file, verdict, .. } = self;
        match verdict {
            Verdict::Holds => write!(f, "{file}: holds"),
            Verdict::Rewritten => write!(f, "{file}: rewritten"),
            Verdict::Unsaid => write!(f, "{file}: there is no .events.json beside it"),
            Verdict::Broken(why) => write!(f, "{file}: {why}"),
            Verdict::Differs(all) => {
                write!(f, "{file}: not as expected")?;
                all.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown =
            |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        write!(
            f,
            "{}: expected {}, got {}",
            self.pointer,
            shown(&self.expected),
            shown(&self.actual)
        )
    }
}

/// Checks every sample of a shelf, and whether those of one problem share their key.
///
/// # Errors
/// Where a directory cannot be read or written.
pub fn check_samples(
    shelf: &Shelf,
    books: &Books,
    update: Update,
) -> io::Result<Vec<SampleResult>> {
    check_samples_of(shelf, books, None, update)
}

/// Checks every sample of a shelf that is of a provider, and its problems; of all where none is named.
///
/// # Errors
/// Where a directory cannot be read or written.
pub fn check_samples_of(
    shelf: &Shelf,
    books: &Books,
    only: Option<&str>,
    update: Update,
) -> io::Result<Vec<SampleResult>> {
    let files = shelf.files()?;
    let mut results = Vec::new();
    for (file, body) in &files {
        let Some((provider, case)) = case_of(file) else { continue };
        if only.is_some_and(|only| only != provider) {
            continue;
        }
        let beside = |kind: &str| files.get(&format!("{provider}/samples/{case}.{kind}"));
        let posted = request_of(beside("request.yaml"))
            .and_then(|request| Posted::sample(provider, body.clone(), request));
        let actual = outcome(books, posted);
        let verdict = match actual {
            Err(why) => Verdict::Broken(why),
            Ok(actual) => match compare(beside("events.json"), &actual) {
                Verdict::Differs(_) | Verdict::Unsaid if update == Update::Rewrite => {
                    shelf.rewrite(&format!("{provider}/samples/{case}.events.json"), &actual)?;
                    Verdict::Rewritten
                }
                verdict => verdict,
            },
        };
        let (provider, case) = (provider.to_owned(), case.to_owned());
        let checked = Checked::Sample;
        results.push(SampleResult { checked, file: file.clone(), provider, case, verdict });
    }
    results.extend(check_problems(&files, books, only));
    Ok(results)
}

impl Shelf {
    /// Every payload on it as if it had been posted; why, where one cannot be.
    ///
    /// # Errors
    /// Where a directory cannot be read.
    pub fn posted(&self, only: Option<&str>) -> io::Result<Vec<Result<Posted, String>>> {
        let files = self.files()?;
        let cases = files.iter().filter_map(|(file, body)| Some((case_of(file)?, body)));
        let cases = cases.filter(|((provider, _), _)| only.is_none_or(|only| only == *provider));
        let posted = cases.map(|((provider, case), body)| {
            let request = files.get(&format!("{provider}/samples/{case}.request.yaml"));
            request_of(request).and_then(|request| Posted::sample(provider, body.clone(), request))
        });
        Ok(posted.collect())
    }

    /// Every file of samples, by its path below the rules directory.
    pub(super) fn files(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let Self::Directory(directory) = self else {
            return Ok(files()
                .into_iter()
                .map(|(path, bytes)| (path, bytes.into_owned()))
                .collect());
        };
        let mut found = BTreeMap::new();
        for provider in sorted(directory)? {
            let samples = provider.join("samples");
            let Some(name) = provider.file_name().and_then(|name| name.to_str()) else { continue };
            for path in if samples.is_dir() { sorted(&samples)? } else { Vec::new() } {
                if let Some(file) = path.file_name().and_then(|file| file.to_str()) {
                    found.insert(format!("{name}/samples/{file}"), fs::read(&path)?);
                }
            }
        }
        Ok(found)
    }

    fn rewrite(&self, file: &str, outcome: &Value) -> io::Result<()> {
        match self {
            Self::Shipped => {
                Err(io::Error::other("what is in the binary cannot be rewritten; name a directory"))
            }
            Self::Directory(directory) => fs::write(directory.join(file), format!("{outcome:#}\n")),
        }
    }
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

pub(super) fn request_of(text: Option<&Vec<u8>>) -> Result<SampleRequest, String> {
    let Some(bytes) = text else { return Ok(SampleRequest::default()) };
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    SampleRequest::read("request.yaml", text).map_err(|error| error.to_string())
}

/// What a payload becomes, as `.events.json` says it.
fn outcome(books: &Books, posted: Result<Posted, String>) -> Result<Value, String> {
    let interpreted = posted?.read(books);
    serde_json::to_value(ReadingInfo::of(&interpreted)).map_err(|error| error.to_string())
}

fn compare(golden: Option<&Vec<u8>>, actual: &Value) -> Verdict {
    let Some(golden) = golden else { return Verdict::Unsaid };
    let expected: Value = match serde_json::from_slice(golden) {
        Ok(expected) => expected,
        Err(error) => return Verdict::Broken(format!("its .events.json is no JSON: {error}")),
    };
    let mut differences = Vec::new();
    differ(Some(&expected), Some(actual), String::new(), &mut differences);
    if differences.is_empty() { Verdict::Holds } else { Verdict::Differs(differences) }
}

/// Notes each leaf where two values differ.
fn differ(
    expected: Option<&Value>,
    actual: Option<&Value>,
    pointer: String,
    found: &mut Vec<Difference>,
) {
    match (expected, actual) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                differ(a.get(key), b.get(key), below, found);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for at in 0..a.len().max(b.len()) {
                differ(a.get(at), b.get(at), format!("{pointer}/{at}"), found);
            }
        }
        (expected, actual) if expected == actual => {}
        (expected, actual) => {
            let difference =
                Difference { pointer, expected: expected.cloned(), actual: actual.cloned() };
            found.push(difference);
        }
    }
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
