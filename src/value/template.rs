//! Texts with places to be filled in, as people write them for messages: the only user of `minijinja`.
//!
//! Whoever may write a template must not be able to stop the program with it. So there are conditions and loops, but no
//! variables, macros, sums of texts, products or written-out lists and tables, with which a few letters become
//! gigabytes; steps are counted, and what comes out is bounded, of filters too. What is missing is empty.

use std::{
    fmt::{self, Write as _},
    io,
    sync::OnceLock,
};

use chrono::DateTime;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context, filters, tests,
    value::{Serde, ValueKind},
};
use serde::Serialize;

/// The most bytes of a template.
pub const LONGEST: usize = 16 << 10;

/// The most bytes of a text that is made.
const MOST_BYTES: usize = 64 << 10;

/// The most steps.
const FUEL: u64 = 10_000;

/// How deep expressions may be nested.
const DEPTH: usize = 50;

/// What may stand behind `{%`.
const TAGS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// A text with places to be filled in, known to be well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// What is wrong with a template, or went wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{detail}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct TemplateFault {
    /// The line, from one, if it is known.
    pub line: Option<usize>,
    /// What is wrong there.
    pub detail: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Where it is not well-formed, or uses what there is not.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        if text.len() > LONGEST {
            let detail = format!("a template has at most {LONGEST} bytes");
            return Err(TemplateFault { line: None, detail });
        }
        allowed(text)?;
        // An unknown filter is known only once it is used, so it is tried on nothing; what fails for want of values may
        // well do with some.
        let template = engine().template_from_str(text).map_err(|error| fault(&error))?;
        match template.render_captured_to(context! {}, &mut Page(Vec::new())) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
                ) =>
            {
                Err(fault(&error))
            }
            Ok(_) | Err(_) => Ok(Self(text.to_owned())),
        }
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, with the values of `scene` filled in.
    ///
    /// # Errors
    /// Where that takes too many steps, becomes too long, or asks of a value what it cannot give.
    pub fn render(&self, scene: &impl Serialize) -> Result<String, TemplateFault> {
        let template = engine().template_from_str(&self.0).map_err(|error| fault(&error))?;
        let mut page = Page(Vec::new());
        let rendered = template.render_captured_to(Value::from(Serde(scene)), &mut page);
        rendered.map_err(|error| fault(&error))?;
        Ok(page.into_text())
    }
}

/// A text that takes no more than it may hold.
struct Page(Vec<u8>);

impl Page {
    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return None;
        }
        self.0.extend_from_slice(bytes);
        Some(())
    }

    fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl fmt::Write for Page {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.take(text.as_bytes()).ok_or(fmt::Error)
    }
}

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let too_long = || io::Error::other(format!("more than {MOST_BYTES} bytes come out"));
        self.take(bytes).ok_or_else(too_long)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fault(error: &Error) -> TemplateFault {
    let mut detail = match error.kind() {
        ErrorKind::OutOfFuel => format!("it takes more than {FUEL} steps"),
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
    };
    if let Some(cause) = std::error::Error::source(error) {
        let _ = write!(detail, ": {cause}");
    }
    TemplateFault { line: error.line(), detail }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text[..at].matches('\n').count()
}

/// Refuses what makes much of little. Every `{%` counts, wherever it stands; within places, all but texts does.
fn allowed(text: &str) -> Result<(), TemplateFault> {
    for (at, _) in text.match_indices("{%") {
        let rest = text[at + 2..].trim_start_matches(['-', '+']).trim_start();
        let tag: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
        if !TAGS.contains(&tag.as_str()) {
            let detail = format!("there is no tag `{tag}`; there are {}", TAGS.join(", "));
            return Err(TemplateFault { line: Some(line_of(text, at)), detail });
        }
    }
    let mut rest = text;
    while let Some(start) = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min() {
        let place = &rest[start + 2..];
        let length = match rest.as_bytes()[start + 1] {
            b'#' => place.find("#}").unwrap_or(place.len()),
            kind => calm(place, kind).map_err(|(at, detail)| {
                let at = text.len() - place.len() + at;
                TemplateFault { line: Some(line_of(text, at)), detail }
            })?,
        };
        rest = &place[length..];
    }
    Ok(())
}

/// The length of a place up to its end, if nothing in it multiplies.
fn calm(place: &str, kind: u8) -> Result<usize, (usize, String)> {
    let end = if kind == b'{' { "}}" } else { "%}" };
    let mut quoted = None;
    let mut escaped = false;
    // Of each open parenthesis, whether it holds what a filter is given.
    let mut open = Vec::new();
    for (at, letter) in place.char_indices() {
        if let Some(quote) = quoted {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                letter if letter == quote => quoted = None,
                _ => {}
            }
            continue;
        }
        let (before, rest) = place.split_at(at);
        match letter {
            '"' | '\'' => quoted = Some(letter),
            _ if rest.starts_with(end) => return Ok(at),
            '(' => open.push(is_given(before)),
            ')' => drop(open.pop()),
            ',' if open.last() == Some(&true) || is_target(before, rest, kind) => {}
            'r' if rest.starts_with("recursive") => {
                return Err((at, "a loop does not call itself".to_owned()));
            }
            _ => single(before, rest, end).map_err(|detail| (at, detail.to_owned()))?,
        }
    }
    Ok(place.len())
}

/// Refuses a sign that makes much of little: what stands at the beginning of `rest`.
fn single(before: &str, rest: &str, end: &str) -> Result<(), &'static str> {
    let behind = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
    match rest.as_bytes().first() {
        Some(b'*') => Err("nothing is multiplied in a template"),
        Some(b'~') => Err(
            "texts are not put together with `~`; write one place behind the other: `{{ a }}{{ b }}`",
        ),
        Some(b'+') => {
            let is_trim = before.is_empty() || behind.starts_with(end);
            let is_number = behind.trim_start().starts_with(|sign: char| sign.is_ascii_digit());
            let why = "only a number that is written out is added, such as `count + 1`";
            if is_trim || is_number { Ok(()) } else { Err(why) }
        }
        Some(b'{') => Err("no table is written out in a template; expected a value or a text"),
        Some(b'[') if !is_subscript(before, behind) => Err(
            "no list is written out in a template; expected one number or one text in `[…]`, directly behind a value",
        ),
        Some(b',') => Err(
            "no list is written out in a template; a comma stands only in `for k, v in` and in what a filter is given: `|filter(a, b)`",
        ),
        Some(b'=') if !behind.starts_with('=') && !before.ends_with(['=', '!', '<', '>']) => {
            Err("nothing is given by name in a template; expected `==`, or a value alone")
        }
        _ => Ok(()),
    }
}

/// Whether what ends here is the name of a filter, or of the one function that takes several values.
fn is_given(before: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let ahead = before.trim_end_matches(is_letter);
    ahead.len() < before.len() && ahead.trim_end().ends_with('|') || before.ends_with("loop.cycle")
}

/// Whether a comma stands between the names that a loop gives to what it goes through.
fn is_target(before: &str, rest: &str, kind: u8) -> bool {
    let is_name = |text: &str| {
        let text = text.trim();
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let names = before.trim_start_matches(['-', '+']).trim_start().strip_prefix("for");
    let names = names.filter(|names| names.starts_with(char::is_whitespace));
    let next = rest[1..].trim_start().split(|letter: char| letter.is_whitespace() || letter == ',');
    kind == b'%'
        && names.is_some_and(|names| names.split(',').all(is_name))
        && next.take(1).all(|name| name != "in" && is_name(name))
}

/// Whether a bracket takes one thing out of the value before it, by a number or a text that is written out.
fn is_subscript(before: &str, behind: &str) -> bool {
    let is_value =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ')' | ']');
    let within = behind.trim_start();
    let rest = if let Some(quote @ ('"' | '\'')) = within.chars().next() {
        within[1..].split_once(quote).filter(|(text, _)| !text.contains('\\')).map(|it| it.1)
    } else {
        let number = within.strip_prefix('-').unwrap_or(within);
        let rest = number.trim_start_matches(|sign: char| sign.is_ascii_digit());
        (rest.len() < number.len()).then_some(rest)
    };
    before.ends_with(is_value) && rest.is_some_and(|rest| rest.trim_start().starts_with(']'))
}

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Environment::empty();
        engine.set_fuel(Some(FUEL));
        engine.set_recursion_limit(DEPTH);
        engine.set_undefined_behavior(UndefinedBehavior::Chainable);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        engine.add_filter("upper", |text: Value| Ok::<_, Error>(plain(&text)?.to_uppercase()));
        engine.add_filter("lower", |text: Value| Ok::<_, Error>(plain(&text)?.to_lowercase()));
        engine.add_filter("capitalize", capitalize);
        engine.add_filter("trim", trim);
        engine.add_filter("default", filters::default);
        engine.add_filter("length", filters::length);
        engine.add_filter("first", filters::first);
        engine.add_filter("last", filters::last);
        engine.add_filter("items", filters::items);
        engine.add_filter("join", join);
        engine.add_filter("replace", replace);
        engine.add_filter("truncate", truncate);
        engine.add_filter("tojson", to_json);
        engine.add_filter("date", date);
        engine.add_test("defined", tests::is_defined);
        engine.add_test("undefined", tests::is_undefined);
        engine.add_test("none", tests::is_none);
        engine.add_test("startingwith", tests::is_startingwith);
        engine.add_test("endingwith", tests::is_endingwith);
        engine
    })
}

fn failed(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

fn too_long() -> Error {
    failed(format!("a text of more than {MOST_BYTES} bytes"))
}

/// What filters of texts take: a text, a number or a truth; what is missing is empty.
fn plain(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Ok(String::new()),
        ValueKind::String | ValueKind::Number | ValueKind::Bool => {
            let text = value.to_string();
            if text.len() > MOST_BYTES { Err(too_long()) } else { Ok(text) }
        }
        kind => Err(failed(format!("expected a text or a number, not a {kind}"))),
    }
}

/// The text with its first letter large and the others small.
fn capitalize(text: Value) -> Result<String, Error> {
    let text = plain(&text)?;
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    Ok(first + &letters.as_str().to_lowercase())
}

/// The text without blanks, or such letters, around it.
fn trim(text: Value, letters: Option<Value>) -> Result<String, Error> {
    let text = plain(&text)?;
    let Some(letters) = letters else { return Ok(text.trim().to_owned()) };
    let letters: Vec<char> = plain(&letters)?.chars().collect();
    Ok(text.trim_matches(&letters[..]).to_owned())
}

/// The items of a list, with a text between them.
fn join(list: Value, between: Option<Value>) -> Result<String, Error> {
    let between = between.map_or_else(|| Ok(String::new()), |between| plain(&between))?;
    let mut page = Page(Vec::new());
    if list.is_undefined() || list.is_none() {
        return Ok(String::new());
    }
    for (at, item) in list.try_iter()?.enumerate() {
        let between = if at > 0 { between.as_str() } else { "" };
        write!(page, "{between}{item}").map_err(|_| too_long())?;
    }
    Ok(page.into_text())
}

/// The text with each `from` replaced.
fn replace(text: Value, from: Value, to: Value) -> Result<String, Error> {
    let (text, from, to) = (plain(&text)?, plain(&from)?, plain(&to)?);
    if from.is_empty() {
        return Ok(text);
    }
    let length = text.len() + text.matches(&from).count() * to.len();
    if length > MOST_BYTES {
        return Err(too_long());
    }
    Ok(text.replace(&from, &to))
}

/// The first letters of a text, and a sign that there were more.
fn truncate(text: Value, letters: usize) -> Result<String, Error> {
    let text = plain(&text)?;
    Ok(match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    })
}

/// A value as JSON, text in quotes.
fn to_json(value: Value) -> Result<String, Error> {
    let mut page = Page(Vec::new());
    serde_json::to_writer(&mut page, &value).map_err(|error| failed(error.to_string()))?;
    Ok(page.into_text())
}

/// A time, as the format says (of `strftime`), in a time zone.
fn date(time: Value, format: Option<String>, zone: Option<String>) -> Result<String, Error> {
    let Some(text) = time.as_str().filter(|text| !text.is_empty()) else {
        return Ok(String::new());
    };
    let time = DateTime::parse_from_rfc3339(text)
        .map_err(|_| failed(format!("`{text}` is no time such as 2026-01-02T03:04:05Z")))?;
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let zone: chrono_tz::Tz =
        zone.parse().map_err(|_| failed(format!("there is no time zone `{zone}`")))?;
    let format = format.unwrap_or_else(|| "%Y-%m-%d %H:%M:%S %Z".to_owned());
    let mut page = Page(Vec::new());
    write!(page, "{}", time.with_timezone(&zone).format(&format))
        .map_err(|_| failed(format!("`{format}` is no format such as %Y-%m-%d %H:%M")))?;
    Ok(page.into_text())
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests_of_templates;
