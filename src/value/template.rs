//! Texts with places to be filled in, as people write them for messages: the only user of `minijinja`.
//!
//! Whoever may write a template must not be able to stop the program with it. So there are conditions and loops, but no
//! variables, macros or products, with which a few letters become gigabytes; steps are counted, and what comes out is
//! bounded. What is missing is empty.

use std::{fmt::Write as _, io, sync::OnceLock};

use chrono::DateTime;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context, filters, tests,
    value::Serde,
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
        match template.render_captured_to(context! {}, io::sink()) {
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
        Ok(String::from_utf8_lossy(&page.0).into_owned())
    }
}

/// A text that takes no more than it may hold.
struct Page(Vec<u8>);

impl io::Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::other(format!("more than {MOST_BYTES} bytes come out")));
        }
        self.0.extend_from_slice(bytes);
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
        match letter {
            '"' | '\'' => quoted = Some(letter),
            '*' => return Err((at, "nothing is multiplied in a template".to_owned())),
            'r' if place[at..].starts_with("recursive") => {
                return Err((at, "a loop does not call itself".to_owned()));
            }
            _ if place[at..].starts_with(end) => return Ok(at),
            _ => {}
        }
    }
    Ok(place.len())
}

fn engine() -> &'static Environment<'static> {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut engine = Environment::empty();
        engine.set_fuel(Some(FUEL));
        engine.set_recursion_limit(DEPTH);
        engine.set_undefined_behavior(UndefinedBehavior::Chainable);
        engine.set_auto_escape_callback(|_| AutoEscape::None);
        engine.add_filter("upper", |text: String| text.to_uppercase());
        engine.add_filter("lower", |text: String| text.to_lowercase());
        engine.add_filter("capitalize", filters::capitalize);
        engine.add_filter("trim", filters::trim);
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

fn bounded(text: String) -> Result<String, Error> {
    let too_long = || failed(format!("a text of more than {MOST_BYTES} bytes"));
    if text.len() > MOST_BYTES { Err(too_long()) } else { Ok(text) }
}

/// The items of a list, with a text between them.
fn join(list: Value, between: Option<String>) -> Result<String, Error> {
    let between = between.unwrap_or_default();
    let mut text = String::new();
    if list.is_undefined() || list.is_none() {
        return Ok(text);
    }
    for (at, item) in list.try_iter()?.enumerate() {
        if at > 0 {
            text.push_str(&between);
        }
        let _ = write!(text, "{item}");
        text = bounded(text)?;
    }
    Ok(text)
}

/// The text with each `from` replaced.
fn replace(text: String, from: String, to: String) -> Result<String, Error> {
    if from.is_empty() {
        return Ok(text);
    }
    let length = text.len() + text.matches(&from).count() * to.len();
    if length > MOST_BYTES {
        return Err(failed(format!("a text of more than {MOST_BYTES} bytes")));
    }
    Ok(text.replace(&from, &to))
}

/// The first letters of a text, and a sign that there were more.
fn truncate(text: String, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text,
    }
}

/// A value as JSON, text in quotes.
fn to_json(value: Value) -> Result<String, Error> {
    let json = serde_json::to_string(&value).map_err(|error| failed(error.to_string()))?;
    bounded(json)
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
    let mut written = String::new();
    write!(written, "{}", time.with_timezone(&zone).format(&format))
        .map_err(|_| failed(format!("`{format}` is no format such as %Y-%m-%d %H:%M")))?;
    bounded(written)
}

#[cfg(test)]
mod tests_of_templates {
    use serde_json::json;

    use super::*;

    fn rendered(template: &str) -> String {
        let scene = json!({
            "title": "Disk \"full\"", "resources": ["a", "b"], "info": { "team": "web" },
            "at": "2026-03-29T01:30:00.000Z", "long": "é".repeat(1000),
        });
        Template::parse(template).unwrap().render(&scene).unwrap()
    }

    fn refused(template: &str) -> TemplateFault {
        match Template::parse(template) {
            Ok(template) => template.render(&json!({ "a": ["x", "y"] })).unwrap_err(),
            Err(fault) => fault,
        }
    }

    #[test]
    fn places_are_filled_in_and_what_is_missing_is_empty() {
        assert_eq!(rendered("{{ title }} {{ nothing }}{{ info.a.b }}!"), "Disk \"full\" !");
        assert_eq!(rendered("{{ title|tojson }}"), "\"Disk \\\"full\\\"\"");
        assert_eq!(rendered("{{ resources|join(', ') }}{{ nothing|join(',') }}"), "a, b");
        assert_eq!(rendered("{% for it in resources %}<{{ it|upper }}>{% endfor %}"), "<A><B>");
        assert_eq!(rendered("{% for k, v in info|items %}{{ k }}={{ v }}{% endfor %}"), "team=web");
        assert_eq!(rendered("{% if info.team == 'web' %}yes{% else %}no{% endif %}"), "yes");
        assert_eq!(rendered("{{ nothing|default('none') }}"), "none");
        assert_eq!(rendered("{{ long|truncate(2) }}"), "éé…");
        assert_eq!(rendered("{{ at|date('%H:%M', 'Europe/Berlin') }}"), "03:30");
        assert_eq!(rendered("{{ at|date }}"), "2026-03-29 01:30:00 UTC");
        assert_eq!(
            rendered("*bold* {# no comment #}{{ title|replace('Disk', '*') }}"),
            "*bold* * \"full\""
        );
        assert_eq!(rendered("<b>{{ title }}</b>"), "<b>Disk \"full\"</b>");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        assert_eq!(refused("a\n{{ title").line, Some(2));
        assert_eq!(refused("a\n\n{% if %}").line, Some(3));
        assert!(refused("{{ title|shout }}").detail.contains("shout"));
        assert!(refused("{{ range(5) }}").detail.contains("range"));
        assert!(
            refused("{{ '2026-01-01T00:00:00Z'|date('%H', 'Mars/Olympus') }}")
                .detail
                .contains("Mars")
        );
        assert!(refused(&"a".repeat(LONGEST + 1)).detail.contains("at most"));
    }

    #[test]
    fn little_does_not_become_much() {
        for (template, why) in [
            ("{% set a = 'x' %}", "no tag `set`"),
            ("{%- with a = 'x' %}{% endwith %}", "no tag `with`"),
            ("{%+ macro a() %}{% endmacro %}", "no tag `macro`"),
            ("{% raw %}{% endraw %}", "no tag `raw`"),
            ("{# {% set a = 'x' %} #}", "no tag `set`"),
            ("{{ 'a' * 100000000 }}", "multiplied"),
            ("{{ '}}' * 100000000 }}", "multiplied"),
            ("{{ \"\\\"}}\" * 100000000 }}", "multiplied"),
            ("{% for i in [1] * 100000000 %}{% endfor %}", "multiplied"),
            ("{# {{ #}{{ 'a' * 9 }}", "multiplied"),
            ("{% for i in a recursive %}{{ loop(a) }}{% endfor %}", "call itself"),
            ("{% include 'a' %}", "no tag `include`"),
        ] {
            let fault = refused(template);
            assert!(fault.detail.contains(why), "{template}: {fault}");
        }
        let many = "{% for a in x %}".repeat(8) + "{{ a }}" + &"{% endfor %}".repeat(8);
        let many = Template::parse(&many).unwrap();
        let fault = many.render(&json!({ "x": vec![1; 20] })).unwrap_err();
        assert!(fault.detail.contains("steps"), "{fault}");
        let long = "{% for a in x %}{% for b in x %}{{ a }}{% endfor %}{% endfor %}";
        let fault =
            Template::parse(long).unwrap().render(&json!({ "x": vec!["y".repeat(1000); 40] }));
        assert!(fault.unwrap_err().detail.contains("bytes"), "too long");
        let grown = "{{ x".to_owned() + &"|replace('a', 'aaaaaaaaaa')".repeat(8) + " }}";
        let fault = Template::parse(&grown).unwrap().render(&json!({ "x": "a" })).unwrap_err();
        assert!(fault.detail.contains("bytes"), "{fault}");
        let quoted = "{{ x".to_owned() + &"|tojson".repeat(40) + " }}";
        let fault = Template::parse(&quoted).unwrap().render(&json!({ "x": "\"" })).unwrap_err();
        assert!(fault.detail.contains("bytes"), "{fault}");
    }
}
