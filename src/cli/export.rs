//! `alertmill event export` and `alert export`: a file of all that is meant, or nothing that looks like one.

use std::{
    fs::{self, File},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::{Client, Response},
    output::Output,
};
use crate::{
    error::Error,
    export::{Format, Packer},
};

/// How much of the end of a file is looked at for what says that it is not whole, in bytes.
const TAIL: usize = 4096;

/// Where an export goes, and what as.
#[derive(Args, Clone, Debug)]
pub(super) struct Destination {
    /// The file to write; standard output where none is named. Its ending says the format: .ndjson, .json or .csv, and
    /// .gz behind it has it compressed.
    file: Option<PathBuf>,
    /// What it is written as, where the file's ending does not say it; ndjson by default.
    #[arg(long, value_enum, value_name = "FORMAT")]
    output: Option<Output>,
    /// Compress it by gzip.
    #[arg(long)]
    gzip: bool,
    /// How many records at most; all by default.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Begin with the oldest; by default the newest come first.
    #[arg(long)]
    oldest_first: bool,
}

/// What is exported.
pub(super) struct Wanted<'a> {
    /// Where it is asked for.
    pub(super) path: &'static str,
    /// The parameters beside the query.
    pub(super) asked: Map<String, Value>,
    /// The query.
    pub(super) query: Map<String, Value>,
    /// The fields that were asked for.
    pub(super) columns: &'a [String],
    /// Whether JSON was asked for by `--json`.
    pub(super) json: bool,
}

impl Destination {
    /// Takes out what is wanted.
    pub(super) async fn take(&self, client: &Client, wanted: Wanted<'_>) -> Result<(), Failure> {
        let format = self.format(wanted.json)?;
        let Wanted { path, mut asked, mut query, columns, json: _ } = wanted;
        if let Some(limit) = self.limit {
            query.insert("page".to_owned(), json!({ "limit": limit }));
        }
        if self.oldest_first {
            query.insert("sort".to_owned(), json!([{ "key": "created_at" }]));
        }
        if !columns.is_empty() {
            asked.insert("columns".to_owned(), columns.to_vec().into());
        }
        asked.insert("query".to_owned(), query.into());
        asked.insert("format".to_owned(), format.name().into());
        let answer = client.stream(path, asked.into()).await?;
        let packer = if self.is_packed() { Packer::gzip() } else { Packer::Plain };
        save(answer, self.file.as_deref(), (format, packer)).await
    }

    fn is_packed(&self) -> bool {
        let ends = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "gz");
        self.gzip || self.file.as_ref().is_some_and(ends)
    }

    fn format(&self, json: bool) -> Result<Format, Failure> {
        match self.output {
            Some(Output::Table) => Err(Failure::usage(
                "An export is a file: give `--output json`, `csv` or `ndjson`; `list` shows tables.",
            )),
            Some(output) => Ok(output.format().unwrap_or(Format::Ndjson)),
            None if json => Ok(Format::Json),
            None => {
                let ending = self.file.as_deref().map_or(Ok(None), by_ending)?;
                Ok(ending.unwrap_or(Format::Ndjson))
            }
        }
    }
}

/// Writes what comes to `file`, or to standard output where none is named.
pub(super) async fn save(
    answer: Response,
    file: Option<&Path>,
    (format, packer): (Format, Packer),
) -> Result<(), Failure> {
    if let Some(file) = file {
        return to_file(answer, file, (format, packer)).await;
    }
    let out = Box::new(io::stdout());
    Sink::new(out, packer, ProgressBar::hidden()).copy(answer, format).await
}

/// The format that the name of a file says, if it has an ending.
///
/// # Errors
/// Where its ending is that of no format.
pub(super) fn by_ending(file: &Path) -> Result<Option<Format>, Failure> {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Ok(None) };
    let name = name.strip_suffix(".gz").unwrap_or(name);
    match name.rsplit_once('.') {
        None => Ok(None),
        Some((_, "jsonl")) => Ok(Some(Format::Ndjson)),
        Some((_, ending)) => Format::named(ending).map(Some).map_err(|_| {
            Failure::usage(format!(
                "`.{ending}` is the ending of no format; name a file that ends in .ndjson, .jsonl, .json or .csv, or say the \
                 format."
            ))
        }),
    }
}

/// Writes beside the file first, so that what bears its name is whole.
async fn to_file(
    answer: Response,
    file: &Path,
    (format, packer): (Format, Packer),
) -> Result<(), Failure> {
    let unwritable = |path: &Path, cause: &io::Error| {
        Failure::usage(format!("`{}` cannot be written: {cause}.", path.display()))
    };
    let unfinished = PathBuf::from(format!("{}.part", file.display()));
    let opened = File::create(&unfinished).map_err(|cause| unwritable(&unfinished, &cause))?;
    let mut sink = Sink::new(Box::new(opened), packer, progress());
    let copied = sink.copy(answer, format).await;
    sink.bar.finish_and_clear();
    copied.map_err(|failure| {
        Failure::refused(format!("{failure} What came is in `{}`.", unfinished.display()))
    })?;
    fs::rename(&unfinished, file).map_err(|cause| unwritable(file, &cause))?;
    let records =
        if format == Format::Ndjson { format!("{} records, ", sink.lines) } else { String::new() };
    let said = format!("Wrote {}: {records}{} bytes.", file.display(), sink.bytes);
    // It goes where people look, so that a pipe has records alone.
    let _ = writeln!(io::stderr().lock(), "{said}");
    Ok(())
}

fn progress() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} lines in {elapsed}");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// Where the bytes go.
struct Sink {
    out: Box<dyn Write>,
    packer: Packer,
    bar: ProgressBar,
    bytes: u64,
    lines: u64,
    /// The end of what came.
    tail: Vec<u8>,
    /// Whether whoever reads has seen enough.
    is_closed: bool,
}

impl Sink {
    fn new(out: Box<dyn Write>, packer: Packer, bar: ProgressBar) -> Self {
        Self { out, packer, bar, bytes: 0, lines: 0, tail: Vec::new(), is_closed: false }
    }

    async fn copy(&mut self, mut answer: Response, format: Format) -> Result<(), Failure> {
        loop {
            match answer.chunk().await {
                Ok(Some(bytes)) => self.add(&bytes)?,
                Ok(None) => break,
                Err(_) => {
                    let why =
                        "The export was cut: the server or the connection gave up before its end.";
                    return Err(Failure::refused(why));
                }
            }
            if self.is_closed {
                return Ok(());
            }
        }
        let rest = self.packer.finish(Vec::new()).map_err(|error| failed(&error))?;
        self.write(&rest)?;
        match self.trouble() {
            Some(said) if format == Format::Ndjson => {
                Err(Failure::refused(format!("The export was cut: {said}.")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let lines = bytes.split(|byte| *byte == b'\n').skip(1).count() as u64;
        self.lines += lines;
        self.bar.inc(lines);
        self.tail.extend_from_slice(bytes);
        let before = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..before);
        let packed = self.packer.pack(bytes.to_vec()).map_err(|error| failed(&error))?;
        self.write(&packed)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes += bytes.len() as u64;
        match self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(cause) => Err(Failure::usage(format!("The export cannot be written: {cause}."))),
            Ok(()) => Ok(()),
        }
    }

    /// What the last line says if it is no record but what went wrong.
    fn trouble(&self) -> Option<String> {
        let last = self.tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        let said: Value = serde_json::from_slice(last).ok()?;
        let is_alone = said.as_object().is_some_and(|said| said.len() == 1);
        let detail = said.pointer("/error/detail").filter(|_| is_alone)?;
        Some(detail.as_str()?.to_owned())
    }
}

fn failed(error: &Error) -> Failure {
    Failure::usage(format!("The export cannot be written: {}.", error.detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_line_that_is_no_record_is_noticed() {
        let mut sink = Sink::new(Box::new(io::sink()), Packer::Plain, ProgressBar::hidden());
        sink.add(b"{\"event_id\":\"a\",\"error\":{\"detail\":\"x\"}}\n").unwrap();
        assert_eq!(sink.trouble(), None);
        sink.add(b"{\"error\":{\"code\":\"E\",\"detail\":\"it broke\"}}\n").unwrap();
        assert_eq!(sink.trouble().as_deref(), Some("it broke"));
        assert_eq!(sink.lines, 2);
    }

    #[test]
    fn the_ending_of_a_file_says_its_format() {
        assert!(by_ending(Path::new("events.xlsx")).is_err());
        let named = |name: &str| by_ending(Path::new(name)).unwrap();
        assert_eq!(named("a/events.csv.gz"), Some(Format::Csv));
        assert_eq!(named("events.jsonl"), Some(Format::Ndjson));
        assert_eq!(named("events.2026.json"), Some(Format::Json));
        assert_eq!(named("events"), None);
    }
}
