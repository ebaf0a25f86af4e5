//! What samples look like: their items, and every field of these with its values and the path that selects it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    form::{Form, seen},
    words::words_of,
};

/// How deep fields are looked for.
const DEPTH: usize = 8;
/// How many fields of one item are looked at.
const FIELDS: usize = 400;
/// How long a name may be that is worth writing down.
const LONGEST_NAME: usize = 80;

/// Something a rule may select, with what it says in each item.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// The path, as rules write it.
    pub(super) path: String,
    /// The words of its name and of those above it.
    pub(super) words: Vec<String>,
    /// The words of its own name.
    pub(super) own: Vec<String>,
    /// Whether it belongs to one item rather than to the payload around the items.
    pub(super) of_item: bool,
    /// Whether the path selects the elements of a list.
    pub(super) many: bool,
    /// What it says in each item; `None` where nothing.
    pub(super) values: Vec<Option<Value>>,
    /// What these look like.
    pub(super) form: Form,
}

/// A variable that makes values readable that are written inside others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variable {
    /// Its name, without the `$`.
    pub(super) name: String,
    /// The path of what it reads.
    pub(super) of: String,
    /// How that is written.
    pub(super) writing: Writing,
    /// Whether it belongs to one item.
    pub(super) of_item: bool,
}

/// How a value is written inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// As JSON in a text.
    Json,
    /// As a list of pairs.
    Pairs,
    /// As a list of pairs, in JSON, in a text.
    PairsInJson,
}

/// All that was seen in the items of a group of samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    /// The leaves.
    pub(super) fields: Vec<Field>,
    /// The objects.
    pub(super) objects: Vec<Field>,
    /// The lists of objects.
    pub(super) lists: Vec<Field>,
    /// The variables that their paths need, after those that were known before.
    pub(super) variables: Vec<Variable>,
}

/// Looks at items one after the other.
#[derive(Debug, Default)]
struct Looker {
    item: usize,
    items: usize,
    seen: usize,
    fields: BTreeMap<String, Field>,
    objects: BTreeMap<String, Field>,
    lists: BTreeMap<String, Field>,
    variables: Vec<Variable>,
}

/// Where the looker stands.
#[derive(Clone, Debug)]
struct Place {
    path: String,
    words: Vec<String>,
    own: Vec<String>,
    of_item: bool,
    many: bool,
    depth: usize,
}

/// One item, with the payload it is in.
pub(super) struct Item<'a> {
    /// The payload.
    pub(super) payload: &'a Value,
    /// The element of its list; `None` where the payload is the item.
    pub(super) element: Option<&'a Value>,
}

/// Looks at items. `without` are the paths of payloads that are looked at as items already, `known` the variables that
/// exist.
pub(super) fn look(items: &[Item<'_>], without: &[String], known: &[Variable]) -> Look {
    let variables = known.to_vec();
    let mut looker = Looker { items: items.len(), variables, ..Looker::default() };
    for (at, item) in items.iter().enumerate() {
        looker.item = at;
        looker.seen = 0;
        if let Some(element) = item.element {
            looker.visit(element, &Place::root("@", true), without);
        }
        looker.visit(item.payload, &Place::root("$", false), without);
    }
    let sorted = |found: BTreeMap<String, Field>| {
        let formed = |field: Field| Field { form: seen(&field), ..field };
        let mut fields: Vec<Field> = found.into_values().map(formed).collect();
        fields.sort_by_key(|field| (!field.of_item, field.path.len(), field.path.clone()));
        fields
    };
    Look {
        fields: sorted(looker.fields),
        objects: sorted(looker.objects),
        lists: sorted(looker.lists),
        variables: looker.variables,
    }
}

impl Looker {
    fn visit(&mut self, value: &Value, place: &Place, without: &[String]) {
        self.seen += 1;
        if place.depth > DEPTH || self.seen > FIELDS || without.contains(&place.path) {
            return;
        }
        match value {
            Value::Null => {}
            Value::Object(fields) => {
                note(&mut self.objects, (self.item, self.items), place, value);
                for (name, value) in fields.iter().filter(|(name, _)| is_writable(name)) {
                    self.visit(value, &place.below(name), without);
                }
            }
            Value::Array(elements) => self.list(elements, place, without),
            Value::String(text) => self.text(value, text, place, without),
            Value::Bool(_) | Value::Number(_) => {
                note(&mut self.fields, (self.item, self.items), place, value);
            }
        }
    }

    fn list(&mut self, elements: &[Value], place: &Place, without: &[String]) {
        if let Some(pairs) = pairs(elements).filter(|_| !place.many) {
            let inside = self.variable(place, Writing::Pairs);
            self.visit(&pairs, &inside, without);
            return;
        }
        let is_list = elements.iter().all(Value::is_object) && !place.many;
        if is_list {
            let whole = Value::Array(elements.to_vec());
            note(&mut self.lists, (self.item, self.items), place, &whole);
        }
        let Some(first) = elements.iter().find(|element| !element.is_null()) else { return };
        let each = Place { path: format!("{}[*]", place.path), many: true, ..place.clone() };
        self.visit(first, &Place { depth: place.depth + 1, ..each }, without);
    }

    fn text(&mut self, value: &Value, text: &str, place: &Place, without: &[String]) {
        let Some(inside) = json_inside(text).filter(|_| !place.many) else {
            return note(&mut self.fields, (self.item, self.items), place, value);
        };
        if let Value::Array(elements) = &inside
            && let Some(pairs) = pairs(elements)
        {
            let place = self.variable(place, Writing::PairsInJson);
            return self.visit(&pairs, &place, without);
        }
        let place = self.variable(place, Writing::Json);
        self.visit(&inside, &place, without);
    }

    /// The place of a variable that reads what is written at `place`.
    fn variable(&mut self, place: &Place, writing: Writing) -> Place {
        let known = self.variables.iter().find(|it| it.of == place.path && it.writing == writing);
        let name = if let Some(known) = known {
            known.name.clone()
        } else {
            let name = self.new_name(&place.own);
            let (of, of_item) = (place.path.clone(), place.of_item);
            self.variables.push(Variable { name: name.clone(), of, writing, of_item });
            name
        };
        Place { path: format!("${name}"), many: false, depth: place.depth + 1, ..place.clone() }
    }

    fn new_name(&self, words: &[String]) -> String {
        let ascii = |word: &String| word.is_ascii() && !word.is_empty();
        let mut name =
            words.iter().filter(|word| ascii(word)).cloned().collect::<Vec<_>>().join("_");
        if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
            name.insert_str(0, "in_");
        }
        let is_taken = |name: &str| self.variables.iter().any(|known| known.name == name);
        if !is_taken(&name) {
            return name;
        }
        let numbered = (2..=FIELDS).map(|number| format!("{name}_{number}"));
        let mut numbered = numbered;
        numbered.find(|name| !is_taken(name)).unwrap_or(name)
    }
}

impl Place {
    fn root(path: &str, of_item: bool) -> Self {
        let (words, own) = (Vec::new(), Vec::new());
        Self { path: path.to_owned(), words, own, of_item, many: false, depth: 0 }
    }

    fn below(&self, name: &str) -> Self {
        let own = words_of(name);
        let mut words = self.words.clone();
        words.extend(own.iter().cloned());
        let path = format!("{}{}", self.path, step(name));
        Self { path, words, own, depth: self.depth + 1, ..self.clone() }
    }
}

fn note(
    found: &mut BTreeMap<String, Field>,
    (item, items): (usize, usize),
    place: &Place,
    value: &Value,
) {
    let field = found.entry(place.path.clone()).or_insert_with(|| Field {
        path: place.path.clone(),
        words: place.words.clone(),
        own: place.own.clone(),
        of_item: place.of_item,
        many: place.many,
        values: vec![None; items],
        form: Form::default(),
    });
    let says_nothing = matches!(value, Value::String(text) if text.trim().is_empty());
    if !says_nothing && let Some(slot) = field.values.get_mut(item) {
        *slot = Some(value.clone());
    }
}

/// One step of a path, as rules write it.
pub(super) fn step(name: &str) -> String {
    let is_plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.starts_with(|letter: char| !letter.is_ascii_digit());
    if is_plain {
        return format!(".{name}");
    }
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a name can be written in a path that people read.
fn is_writable(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

/// The object or list that a text is, if it is one that says something.
pub(super) fn json_inside(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.starts_with(['{', '[']) || text.len() < 5 {
        return None;
    }
    match serde_json::from_str(text).ok()? {
        Value::Object(fields) if fields.is_empty() => None,
        Value::Array(elements) if !elements.iter().any(|it| it.is_object() || it.is_array()) => {
            None
        }
        inside => Some(inside),
    }
}

/// What a list of pairs says, as an object: `[["k", "v"]]`, `[{"key": "k", "value": "v"}]`, `["k:v"]`.
pub(super) fn pairs(elements: &[Value]) -> Option<Value> {
    if elements.is_empty() {
        return None;
    }
    let found: Option<serde_json::Map<String, Value>> = elements.iter().map(pair).collect();
    found.map(Value::Object)
}

fn pair(element: &Value) -> Option<(String, Value)> {
    match element {
        Value::Array(two) => match two.as_slice() {
            [Value::String(name), value] if !value.is_object() => {
                Some((name.clone(), value.clone()))
            }
            _ => None,
        },
        Value::Object(fields) if fields.len() == 2 => {
            let value = fields.get("value")?;
            let name =
                ["key", "name", "tag"].iter().find_map(|name| fields.get(*name)?.as_str())?;
            Some((name.to_owned(), value.clone()))
        }
        Value::String(text) => {
            let (name, value) = text.split_once(':')?;
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
            let fits = !name.is_empty() && name.chars().all(is_name) && !value.starts_with("//");
            let is_arn = text.matches(':').count() > 1;
            (fits && !is_arn).then(|| (name.to_owned(), value.into()))
        }
        _ => None,
    }
}
