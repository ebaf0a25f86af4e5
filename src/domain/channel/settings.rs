//! Settings as a request gives them, read one by one: what is wrong is told with its place, and what nobody asked for is
//! refused.

use std::{collections::BTreeMap, str::FromStr};

use serde_json::{Map, Value};

use crate::{
    digest::Secret,
    error::{Code, Error, Result},
    load_error::did_you_mean,
    outbound,
};

/// The most letters of a setting.
pub(super) const LONGEST: usize = 2048;

/// The most entries of a setting that is a list or an object.
const MOST: usize = 50;

/// What is shown in the place of a secret.
pub(super) const HIDDEN: &str = "********";

/// Settings that are being read.
pub(super) struct Settings<'a> {
    given: &'a Map<String, Value>,
    at: String,
    known: Vec<&'static str>,
}

/// Whether what is secret is written out, for the store, or hidden, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// It is written out.
    Secrets,
    /// It is hidden.
    Nothing,
}

/// Settings that are being written.
pub(super) struct Written {
    show: Show,
    fields: Map<String, Value>,
}

/// A mistake at one place.
pub(super) fn wrong(pointer: impl Into<String>, detail: impl Into<String>) -> Error {
    Error::at(Code::InvalidParameter, pointer, detail)
}

fn mistyped(pointer: impl Into<String>, expected: &str) -> Error {
    Error::at(Code::InvalidParameterType, pointer, format!("{expected} is expected here"))
}

/// A name as a step of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A text without white space around it; `None` where nothing is left.
fn tidy(pointer: &str, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(wrong(pointer, format!("at most {LONGEST} letters")));
    }
    if text.chars().any(char::is_control) {
        return Err(wrong(pointer, "no line breaks and no control characters"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl<'a> Settings<'a> {
    /// Those of an object that stands at `at`.
    pub(super) fn new(given: &'a Map<String, Value>, at: &str) -> Self {
        Self { given, at: at.to_owned(), known: Vec::new() }
    }

    /// The place of a setting.
    pub(super) fn pointer(&self, name: &str) -> String {
        format!("{}/{}", self.at, escaped(name))
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.given.get(name).filter(|value| !value.is_null())
    }

    /// A text, if it is given and not empty.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let pointer = self.pointer(name);
        let text = value.as_str().ok_or_else(|| mistyped(pointer.as_str(), "a text"))?;
        tidy(&pointer, text)
    }

    /// A text or a number, as people write identifiers that are numbers.
    pub(super) fn text_or_number(&mut self, name: &'static str) -> Result<Option<String>> {
        match self.value(name) {
            Some(Value::Number(number)) if number.is_i64() => Ok(Some(number.to_string())),
            Some(_) | None => self.text(name),
        }
    }

    /// A text that has to be given.
    pub(super) fn needed(&mut self, name: &'static str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// What is said where something that is needed is missing.
    pub(super) fn missing(&self, name: &str) -> Error {
        let detail = format!("`{name}` is required");
        Error::at(Code::RequiredParameter, self.pointer(name), detail)
    }

    /// A secret, if it is given.
    pub(super) fn secret(&mut self, name: &'static str) -> Result<Option<Secret>> {
        Ok(self.text(name)?.map(Secret::from))
    }

    /// A secret that has to be given.
    pub(super) fn needed_secret(&mut self, name: &'static str) -> Result<Secret> {
        self.needed(name).map(Secret::from)
    }

    /// An address of the web, if it is given.
    pub(super) fn url(&mut self, name: &'static str) -> Result<Option<String>> {
        let Some(url) = self.text(name)? else { return Ok(None) };
        match outbound::callable(&url) {
            Ok(()) => Ok(Some(url)),
            Err(fault) => Err(wrong(self.pointer(name), fault.to_string())),
        }
    }

    /// An address of the web that has to be given, and that may hold a secret.
    pub(super) fn secret_url(&mut self, name: &'static str) -> Result<Secret> {
        self.url(name)?.map(Secret::from).ok_or_else(|| self.missing(name))
    }

    /// The address that paths of an API are put behind; `usual` where none is given.
    pub(super) fn base_url(&mut self, name: &'static str, usual: &str) -> Result<String> {
        let url = self.url(name)?.unwrap_or_else(|| usual.to_owned());
        if url.contains(['?', '#']) {
            return Err(wrong(self.pointer(name), "an address without `?` and `#`"));
        }
        Ok(url.trim_end_matches('/').to_owned())
    }

    /// One of a few words, in either case, if it is given.
    pub(super) fn word<W: FromStr<Err: ToString>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<W>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let word = text.to_ascii_uppercase().parse();
        word.map(Some).map_err(|unknown: W::Err| wrong(self.pointer(name), unknown.to_string()))
    }

    /// A number from `least` to `most`, if it is given.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        (least, most): (i64, i64),
    ) -> Result<Option<i64>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_i64().filter(|number| (least..=most).contains(number));
        let expected = format!("a whole number from {least} to {most} is expected here");
        number.map(Some).ok_or_else(|| wrong(self.pointer(name), expected))
    }

    /// Texts, each at its place; none where it is not given. A single text stands for a list of one.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Vec<(String, String)>> {
        let pointer = self.pointer(name);
        let Some(value) = self.value(name) else { return Ok(Vec::new()) };
        let one = std::slice::from_ref(value);
        let all = value.as_array().map_or(one, Vec::as_slice);
        if all.len() > MOST {
            return Err(wrong(pointer, format!("at most {MOST} of them")));
        }
        let mut texts = Vec::new();
        for (at, value) in all.iter().enumerate() {
            let place = format!("{pointer}/{at}");
            let text = value.as_str().ok_or_else(|| mistyped(place.as_str(), "a text"))?;
            let text = tidy(&place, text)?.ok_or_else(|| wrong(place.as_str(), "it is empty"))?;
            texts.push((place, text));
        }
        Ok(texts)
    }

    /// Secrets by name, each at its place; none where it is not given.
    pub(super) fn secrets(&mut self, name: &'static str) -> Result<BTreeMap<String, Secret>> {
        let pointer = self.pointer(name);
        let Some(value) = self.value(name) else { return Ok(BTreeMap::new()) };
        let Value::Object(all) = value else { return Err(mistyped(pointer, "an object")) };
        if all.len() > MOST {
            return Err(wrong(pointer, format!("at most {MOST} of them")));
        }
        let mut secrets = BTreeMap::new();
        for (name, value) in all {
            let place = format!("{pointer}/{}", escaped(name));
            let text = value.as_str().ok_or_else(|| mistyped(place.as_str(), "a text"))?;
            secrets.insert(name.clone(), Secret::from(tidy(&place, text)?.unwrap_or_default()));
        }
        Ok(secrets)
    }

    /// What belongs together in an object of its own, if it is given.
    pub(super) fn object(&mut self, name: &'static str) -> Result<Option<Settings<'a>>> {
        let pointer = self.pointer(name);
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(given)) => Ok(Some(Settings::new(given, &pointer))),
            Some(_) => Err(mistyped(pointer, "an object")),
        }
    }

    /// Refuses what was given and not asked for.
    pub(super) fn done(self) -> Result<()> {
        let unknown = self.given.keys().find(|name| !self.known.contains(&name.as_str()));
        let Some(name) = unknown else { return Ok(()) };
        let hint = did_you_mean(name, self.known.iter().copied());
        let there = self.known.join(", ");
        let detail = format!("there is no setting `{name}` here{hint}; there are {there}");
        Err(wrong(self.pointer(name), detail))
    }
}

impl Written {
    /// Nothing yet.
    pub(super) fn new(show: Show) -> Self {
        Self { show, fields: Map::new() }
    }

    /// All that was written.
    pub(super) fn done(self) -> Map<String, Value> {
        self.fields
    }

    /// Whether secrets are written out.
    pub(super) fn show(&self) -> Show {
        self.show
    }

    /// Writes what may be shown.
    pub(super) fn open(&mut self, name: &str, value: impl Into<Value>) {
        self.fields.insert(name.to_owned(), value.into());
    }

    /// Writes what may be shown, where there is any.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.open(name, value);
        }
    }

    /// Writes a secret.
    pub(super) fn secret(&mut self, name: &str, secret: &Secret) {
        self.open(name, self.shown(secret));
    }

    /// Writes an address that may hold a secret: only its beginning is shown.
    pub(super) fn secret_url(&mut self, name: &str, url: &Secret) {
        let shown = match self.show {
            Show::Secrets => url.reveal().to_owned(),
            Show::Nothing => beginning(url.reveal()),
        };
        self.open(name, shown);
    }

    /// Writes secrets by name.
    pub(super) fn secrets(&mut self, name: &str, secrets: &BTreeMap<String, Secret>) {
        if secrets.is_empty() {
            return;
        }
        let shown: Map<String, Value> =
            secrets.iter().map(|(name, secret)| (name.clone(), self.shown(secret))).collect();
        self.open(name, shown);
    }

    fn shown(&self, secret: &Secret) -> Value {
        match self.show {
            Show::Secrets => secret.reveal().into(),
            Show::Nothing => HIDDEN.into(),
        }
    }
}

/// Scheme, host and port of an address.
fn beginning(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let more = if end < rest.len() { "/…" } else { "" };
    format!("{scheme}://{}{more}", &rest[..end])
}
