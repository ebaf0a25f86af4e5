//! What a rule file looks like, for editors: `rules/schema.json` is made of the types here.
//!
//! The loader reads the nodes of a file itself, since it tells mistakes better than derived readers do. These types say
//! the same a second time; tests hold both to each other. Doc comments become the help that editors show.

#![expect(
    dead_code,
    clippy::enum_variant_names,
    clippy::struct_field_names,
    clippy::large_enum_variant,
    reason = "they are named as the language names things, and no value is ever made of them"
)]

use std::collections::BTreeMap;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value as Json;

/// Tables with one key.
macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident { $(#[$field_doc:meta])* $field:ident: $of:ty })+) => { $(
        $(#[$doc])*
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub(in crate::rules::schema) struct $name {
            $(#[$field_doc])*
            $field: $of,
        }
    )+ };
}

mod conditions;
mod steps;
mod values;

use self::{
    conditions::Conditions,
    values::{KeyValue, Let, Null, OneOrMany, PathText, Value, Word},
};
use crate::domain::words::{EventType, Severity};

/// The schema of `rules/<provider>/mapping.yaml`.
pub fn schema() -> Json {
    let settings = SchemaSettings::draft2020_12();
    let schema = settings.into_generator().into_root_schema_for::<MappingFile>();
    let mut schema = schema.to_value();
    for_editors(&mut schema);
    schema
}

/// Takes `null` out of what may be absent: absent is not null. Where null is allowed it is a constant.
fn for_editors(schema: &mut Json) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(for_editors),
        Json::Object(fields) => {
            fields.values_mut().for_each(for_editors);
            if let Some(Json::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            let null = serde_json::json!({ "type": "null" });
            let Some(Json::Array(options)) = fields.get_mut("anyOf") else { return };
            options.retain(|option| *option != null);
            if let [Json::Object(only)] = options.as_mut_slice() {
                let only = std::mem::take(only);
                fields.remove("anyOf");
                for (name, value) in only {
                    fields.entry(name).or_insert(value);
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// What a provider's payloads mean: how each becomes events. See `rules/README.md`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum MappingFile {
    Whole(Whole),
    Extending(Extending),
}

/// A mapping.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Whole {
    /// What people call the provider.
    title: String,
    /// Patterns of texts that mean "nothing was said", such as macros that a sender could not expand.
    missing: Option<OneOrMany<String>>,
    /// Variables, by name: each may use those before it, as `$name`. A table without an operator is a place for an anchor.
    #[schemars(rename = "let")]
    lets: Option<BTreeMap<String, Let>>,
    /// The variants, tried in order: the first whose `when` holds reads the payload.
    #[schemars(length(min = 1))]
    events: Vec<Variant>,
}

/// A mapping that says only what differs from another.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Extending {
    /// The mapping that this one is laid over: a provider's name. Its own name means the built-in one.
    extend: String,
    /// What people call the provider; that of the other mapping where absent.
    title: Option<String>,
    /// Further patterns of texts that mean "nothing was said".
    missing: Option<OneOrMany<String>>,
    /// Variables; those with a name of the other mapping take its place.
    #[schemars(rename = "let")]
    lets: Option<BTreeMap<String, Let>>,
    /// Variants. One with a name of the other mapping changes that one, field by field; others are tried first.
    events: Option<Vec<Change>>,
}

/// One shape of payload: which payloads it reads, and what it makes of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Variant {
    Events(EventsVariant),
    Ignore(IgnoreVariant),
}

/// A variant that makes events.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EventsVariant {
    /// What explanations, coverage and errors call it.
    name: String,
    /// Which payloads it reads; all where absent. Knows no `@`.
    when: Option<OneOrMany<Conditions>>,
    /// Variables of this variant, by name.
    #[schemars(rename = "let")]
    lets: Option<BTreeMap<String, Value>>,
    /// The items, such as `$.alerts[*]`: each becomes an event and is `@`. Without it the payload is the only item.
    each: Option<PathText>,
    /// The fields of the event.
    set: Fields,
}

/// A variant that makes no event, deliberately.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct IgnoreVariant {
    /// What explanations, coverage and errors call it.
    name: String,
    /// Which payloads it reads; all where absent.
    when: Option<OneOrMany<Conditions>>,
    /// Variables of this variant, by name.
    #[schemars(rename = "let")]
    lets: Option<BTreeMap<String, Value>>,
    /// Why such a payload is no event.
    ignore: String,
}

/// A new variant, or what changes of one. `null` takes away.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Change {
    /// Its name: that of the variant to change, or a new one.
    name: String,
    /// Which payloads it reads.
    when: Option<Maybe<OneOrMany<Conditions>>>,
    /// Variables, by name.
    #[schemars(rename = "let")]
    lets: Option<BTreeMap<String, Value>>,
    /// The items.
    each: Option<Maybe<PathText>>,
    /// The fields of the event that differ.
    set: Option<SomeFields>,
    /// Why such a payload is no event.
    ignore: Option<String>,
}

/// Something, or `null`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Maybe<T> {
    Some(T),
    Nothing(Null),
}

macro_rules! fields {
    ($(#[$meta:meta])* $name:ident, $key:ty) => {
        $(#[$meta])*
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields)]
        struct $name {
            /// The same for a problem and its recovery, different for different problems; no time, nothing random, no
            /// number of a send.
            event_key: $key,
            /// `ALERT`, `RECOVERY` or `ERROR`; `ALERT` where nothing is said.
            event_type: Option<Word<EventType>>,
            /// How bad it is; `NONE` where nothing is said. Give a `map` an `else`.
            severity: Option<Word<Severity>>,
            /// What a person reads first.
            title: Option<Value>,
            /// What a person reads next.
            description: Option<Value>,
            /// The rule or check of the sender that spoke.
            rule: Option<Value>,
            /// A picture that shows it.
            image_url: Option<Value>,
            /// What it is about: a list of texts, or one.
            resources: Option<Value>,
            /// Whose resources they are, e.g. `aws`.
            provider: Option<Value>,
            /// Which account of that provider.
            account: Option<Value>,
            /// Whatever else the sender said: an object.
            additional_info: Option<Value>,
            /// When it happened, read as by `time: auto`; else when it was received.
            occurred_at: Option<Value>,
        }
    };
}

fields!(
    /// The fields of an event.
    Fields,
    KeyValue
);
fields!(
    /// Fields of an event.
    SomeFields,
    Option<KeyValue>
);
