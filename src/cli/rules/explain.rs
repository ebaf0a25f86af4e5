//! `alertmill rules explain`: what a payload becomes, and where each value of it came from.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::Value;

use super::{Failure, Screen, books};
use crate::{
    cli::show::{field, prose},
    config::RuleFiles,
    ingest::Books,
    lab::{explain::Explained, posted::Posted, reading::ItemReading},
    load_error::did_you_mean,
    rules::samples::SampleRequest,
    value::text::counted,
};

/// The longest value that a table shows whole.
const LONGEST: usize = 60;

/// The fields of an event, as a person reads them.
const FIELDS: [&str; 12] = [
    "event_key",
    "event_type",
    "severity",
    "title",
    "description",
    "rule",
    "resources",
    "provider",
    "account",
    "image_url",
    "occurred_at",
    "additional_info",
];

/// Say what a payload becomes, and where each value of it came from.
#[derive(Args)]
pub(super) struct Explain {
    /// Whose payload it is.
    #[arg(long, value_name = "NAME")]
    provider: String,
    /// File that holds the payload; `-` reads what is piped in. What `<case>.request.yaml` says beside a sample counts too.
    file: PathBuf,
    /// A header it is posted with; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    headers: Vec<(String, String)>,
    /// A parameter of the query string it is posted with; may be repeated.
    #[arg(long = "query", value_name = "NAME=VALUE", value_parser = parameter)]
    query: Vec<(String, String)>,
    /// Its content type.
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,
    /// When it arrives, in RFC 3339; `2026-01-01T00:00:00Z` where absent.
    #[arg(long, value_name = "TIME")]
    received_at: Option<String>,
    /// The zone of times that name none, e.g. `Asia/Seoul`; UTC where absent.
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| "expected `Name: value`".to_owned())?;
    Ok((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "expected `name=value`".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

impl Explain {
    /// Does it.
    pub(super) fn run(self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let books = books(files)?;
        let is_known = books.rulebook.get(&self.provider).is_some()
            || books.plugins.get(&self.provider).is_some();
        if !is_known {
            return Err(unknown(&self.provider, files, &books));
        }
        let posted = self.posted()?;
        let explained = Explained::of(&books, &posted);
        let variants = posted.plugin(&books);
        let variants: Vec<&str> = books
            .rulebook
            .get(variants.mapping())
            .map(|mapping| mapping.variants().collect())
            .unwrap_or_default();
        let answer = serde_json::to_value(&explained.reading)
            .map_err(|error| Failure::usage(error.to_string()))?;
        screen.show(&answer, |_| told(&explained, &variants))?;
        let items = &explained.reading.items;
        let failed = items.iter().filter(|item| item.error.is_some()).count();
        if failed == 0 {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "{failed} of {} cannot be read.",
            counted(items.len() as u64, "item")
        )))
    }

    fn posted(self) -> Result<Posted, Failure> {
        let body = read(&self.file)?;
        let mut request = beside(&self.file)?;
        request.headers.extend(self.headers);
        request.query.extend(self.query);
        request.content_type = self.content_type.or(request.content_type);
        request.received_at = self.received_at.or(request.received_at);
        let posted = Posted::sample(&self.provider, body, request).map_err(Failure::usage)?;
        match self.zone {
            Some(zone) => posted.in_zone(&zone).map_err(Failure::usage),
            None => Ok(posted),
        }
    }
}

/// That there is no such provider, and where one of one's own would be.
fn unknown(provider: &str, files: &RuleFiles, books: &Books) -> Failure {
    let near = did_you_mean(provider, books.rulebook.providers().chain(books.plugins.names()));
    let near = if near.is_empty() { "." } else { &near };
    let own = match &files.rules {
        Some(rules) => format!("`{}` holds none of that name", rules.display()),
        None => "`--rules DIR` adds those of a directory".to_owned(),
    };
    Failure::usage(format!(
        "There is no provider `{provider}`{near} `alertmill rules list` shows those there are; {own}."
    ))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |cause: io::Error| Failure::usage(format!("`{}` cannot be read: {cause}.", file.display()));
    if file != Path::new("-") {
        return fs::read(file).map_err(unreadable);
    }
    let mut body = Vec::new();
    io::stdin().lock().read_to_end(&mut body).map_err(unreadable)?;
    Ok(body)
}

/// What the `.request.yaml` beside a sample says.
fn beside(file: &Path) -> Result<SampleRequest, Failure> {
    let path = file.with_extension("request.yaml");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(SampleRequest::default()) };
    SampleRequest::read(&path.display().to_string(), &text)
        .map_err(|mistake| Failure::usage(mistake.to_string()))
}

/// What became of a payload, for people.
fn told(explained: &Explained, variants: &[&str]) -> String {
    let Explained { mapping, reading } = explained;
    let mut parts = Vec::new();
    if let Some(mapping) = mapping {
        parts.push(format!("Read by {}, version {}.", mapping.file, mapping.version));
    }
    if let Some(reason) = &reading.ignored {
        parts.push(format!("Not an event: {reason}."));
    }
    if reading.items.is_empty() && reading.ignored.is_none() {
        parts.push("The payload holds no items, so there are no events.".to_owned());
    }
    let mut events = reading.events.iter();
    for item in &reading.items {
        let event = if item.error.is_none() { events.next() } else { None };
        let fields = event.and_then(|event| serde_json::to_value(event).ok());
        parts.push(match fields {
            Some(fields) => item_told(item, &fields),
            None => failure_told(item, variants),
        });
    }
    parts.join("\n\n")
}

fn item_told(item: &ItemReading, event: &Value) -> String {
    let heading = format!(
        "Item {}, read by variant `{}`:",
        item.index.unwrap_or_default(),
        item.variant.as_deref().unwrap_or_default()
    );
    let origins = serde_json::to_value(&item.origins).ok();
    format!("{heading}\n{}", fields_told(event, origins.as_ref()))
}

/// A table of the fields of an event, each with its origin.
pub(in crate::cli) fn fields_told(event: &Value, origins: Option<&Value>) -> String {
    let told = FIELDS.iter().filter_map(|name| {
        let (value, origin) = (event.get(name)?, origins.and_then(|origins| origins.get(name)));
        let is_said = origin.is_some() || !is_empty(value);
        is_said.then(|| row(name, value, origin))
    });
    prose(&["FIELD", "VALUE", "FROM", "STEPS", "RULE"], told.collect())
}

fn row(name: &str, value: &Value, origin: Option<&Value>) -> Vec<String> {
    let value = match value {
        Value::String(text) => cut(text),
        other => cut(&other.to_string()),
    };
    let Some(origin) = origin else {
        return vec![name.to_owned(), value, "default".to_owned()];
    };
    let path = field(origin, "path");
    let from = match (path.is_empty(), origin.get("default") == Some(&Value::Bool(true))) {
        (true, true) => "default".to_owned(),
        (true, false) => "constant".to_owned(),
        (false, true) => format!("{path} (default)"),
        (false, false) => path,
    };
    let steps = origin.get("steps").and_then(Value::as_array).into_iter().flatten();
    let steps: Vec<String> = steps.filter_map(Value::as_str).map(shortened).collect();
    let place = format!("{}:{}", field(origin, "file"), field(origin, "line"));
    vec![name.to_owned(), value, from, steps.join(", "), place]
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST - 1).collect();
    format!("{start}…")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn failure_told(item: &ItemReading, variants: &[&str]) -> String {
    let what = match item.index {
        Some(index) => format!("Item {index} cannot be read"),
        None => "The payload cannot be read".to_owned(),
    };
    let Some(error) = &item.error else { return format!("{what}.") };
    let mut reason = error.reason.clone();
    // Each variant says for itself why it does not fit.
    for variant in variants {
        reason = reason.replace(&format!("; {variant}: "), &format!("\n  {variant}: "));
    }
    let place = match (&error.file, error.line) {
        (Some(file), Some(line)) => format!(" ({file}:{line})"),
        (Some(file), None) => format!(" ({file})"),
        (None, _) => String::new(),
    };
    let path = error.path.as_ref().map(|path| format!(", at {path}")).unwrap_or_default();
    format!("{what}{path}{place}: {reason}.")
}
/// A step in no more letters than a line has room for.
fn shortened(step: &str) -> String {
    const ROOM: usize = 60;
    match step.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &step[..end]),
        None => step.to_owned(),
    }
}
