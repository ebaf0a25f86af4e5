//! XML as JSON: attributes as `@name`, text as `#text`, repeated children as lists.

use std::{borrow::Cow, collections::BTreeSet};

use quick_xml::{
    Reader,
    escape::{resolve_predefined_entity, unescape},
    events::{BytesRef, BytesStart, Event},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{DEPTH, Repeated, add, as_text, unreadable};
use crate::domain::receipt::Unreadable;

/// How XML becomes JSON.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::plugins) struct Xml {
    /// The elements that are a list even where there is one of them.
    #[serde(default)]
    pub(super) lists: BTreeSet<String>,
}

/// How deep elements may be: each is an object, and may stand in a list.
const ELEMENTS: usize = DEPTH / 2 - 2;

/// An element that is being read.
struct Element {
    name: String,
    fields: Map<String, Value>,
    repeated: Repeated,
    text: String,
}

/// The document as an object with its root element. Only the five entities of XML itself and numbers of characters are
/// known, so nothing grows, and a document type is refused.
pub(super) fn decode(xml: &Xml, body: &[u8]) -> Result<Value, Unreadable> {
    let text = as_text(body, "the XML")?;
    let mut reader = Reader::from_str(text);
    // An element that is closed at once must look like one that is closed later.
    reader.config_mut().expand_empty_elements = true;
    let mut open = vec![Element::new(String::new())];
    loop {
        let start = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|fault| wrong(text, reader.error_position(), &fault.to_string()))?;
        if matches!(event, Event::Eof) {
            break;
        }
        step(xml, &mut open, event).map_err(|fault| wrong(text, start, &fault))?;
    }
    let (1, Some(document)) = (open.len(), open.pop()) else {
        return Err(wrong(text, reader.buffer_position(), "it ends inside an element"));
    };
    if document.fields.len() != 1 || !document.repeated.0.is_empty() {
        let count = if document.fields.is_empty() { "no element" } else { "several elements" };
        let reason =
            format!("the body is no XML: it has {count}, and expected is one that holds all");
        return Err(unreadable(reason));
    }
    Ok(Value::Object(document.fields))
}

fn step(xml: &Xml, open: &mut Vec<Element>, event: Event<'_>) -> Result<(), String> {
    let depth = open.len();
    let Some(element) = open.last_mut() else { return Ok(()) };
    match event {
        Event::Start(start) => {
            if depth > ELEMENTS {
                return Err(format!("elements are nested deeper than {ELEMENTS}"));
            }
            open.push(Element::begin(&start)?);
        }
        Event::End(_) => {
            let Some(element) = open.pop() else { return Ok(()) };
            let Some(parent) = open.last_mut() else { return Ok(()) };
            parent.adopt(xml, element);
        }
        Event::Text(text) => element.say(&text.decode().map_err(|fault| fault.to_string())?)?,
        Event::CData(text) => element.say(&text.decode().map_err(|fault| fault.to_string())?)?,
        Event::GeneralRef(entity) => element.say(&resolve(&entity)?)?,
        Event::DocType(_) => return Err("a document type is not read".to_owned()),
        Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
    }
    Ok(())
}

impl Element {
    fn new(name: String) -> Self {
        let (fields, repeated) = (Map::new(), Repeated::default());
        Self { name, fields, repeated, text: String::new() }
    }

    fn begin(start: &BytesStart<'_>) -> Result<Self, String> {
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut element = Self::new(name(start.name().as_ref()));
        // Its own check for repeated attributes compares each with all before it.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|fault| fault.to_string())?;
            let key = format!("@{}", name(attribute.key.as_ref()));
            let value = String::from_utf8_lossy(&attribute.value);
            let value = unescape(&value).map_err(|fault| fault.to_string())?.into_owned();
            if element.fields.insert(key.clone(), Value::String(value)).is_some() {
                return Err(format!("the attribute `{}` is there twice", &key[1..]));
            }
        }
        Ok(element)
    }

    fn say(&mut self, text: &str) -> Result<(), String> {
        if self.name.is_empty() && !text.trim().is_empty() {
            return Err("text outside of the element that holds all".to_owned());
        }
        // Text that only indents what follows is none.
        if !(self.text.is_empty() && text.trim().is_empty()) {
            self.text.push_str(text);
        }
        Ok(())
    }

    /// Takes in a child that is complete.
    fn adopt(&mut self, xml: &Xml, child: Self) {
        let Self { name, mut fields, text, .. } = child;
        let text = text.trim();
        let value = match (fields.is_empty(), text.is_empty()) {
            (true, _) => Value::from(text),
            (false, true) => Value::Object(fields),
            (false, false) => {
                fields.insert("#text".to_owned(), Value::from(text));
                Value::Object(fields)
            }
        };
        if xml.lists.contains(&name) && !self.fields.contains_key(&name) {
            self.repeated.0.insert(name.clone());
            self.fields.insert(name, Value::Array(vec![value]));
            return;
        }
        add(&mut self.fields, &mut self.repeated, Cow::Owned(name), value);
    }
}

/// What an entity stands for.
fn resolve(entity: &BytesRef<'_>) -> Result<Cow<'static, str>, String> {
    if let Some(letter) = entity.resolve_char_ref().map_err(|fault| fault.to_string())? {
        return Ok(Cow::Owned(letter.to_string()));
    }
    let name = entity.decode().map_err(|fault| fault.to_string())?;
    if let Some(text) = resolve_predefined_entity(&name) {
        return Ok(Cow::Borrowed(text));
    }
    let name: String = name.chars().take(40).collect();
    Err(format!("nobody knows the entity `&{name};`"))
}

/// What is wrong at a byte of the text.
fn wrong(text: &str, byte: u64, what: &str) -> Unreadable {
    let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    let before = &text.as_bytes()[..byte];
    let line = before.split(|byte| *byte == b'\n').count();
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    unreadable(format!("the body is no XML: {what} at line {line} column {column}"))
}
