//! The values of a rule file: constants, paths, texts with holes, operators.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};

use super::{conditions::Conditions, steps::Step};
use crate::rules::read::operators;

/// A value, wherever one may stand.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Value {
    /// A path (`$.title`), a text with holes (`{{ $.host }} is down`), or a text as it is.
    Text(String),
    Number(f64),
    Truth(bool),
    /// Nothing.
    Nothing(Null),
    Operation(Box<Operation<Value>>),
}

/// A key: a value that is something.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum KeyValue {
    /// A path, a text with holes, or a text as it is.
    Text(String),
    Number(f64),
    Operation(Box<Operation<Value>>),
}

/// One of the words of a field, or a value that gives one.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Word<W> {
    /// The word.
    Word(W),
    /// What a path selects.
    Path(PathText),
    /// A text with holes.
    Template(TemplateText),
    /// Nothing.
    Nothing(Null),
    Operation(Box<Operation<Word<W>>>),
}

/// `null`.
pub(super) struct Null;

impl JsonSchema for Null {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Null".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        schemars::json_schema!({ "const": null })
    }
}

/// A path: `$` is the payload, `@` the item, `$name` a variable.
#[derive(JsonSchema)]
pub(super) struct PathText(#[schemars(regex(pattern = r"^[$@]"))] String);

/// A text with holes.
#[derive(JsonSchema)]
pub(super) struct TemplateText(#[schemars(regex(pattern = r"\{\{"))] String);

/// One, or a list of them.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(#[schemars(length(min = 1))] Vec<T>),
}

/// A value that is made of others; `R` is what comes out.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Operation<R> {
    From(From<R>),
    Case(Case<R>),
    Header(Header),
    Query(Query),
    Received(Received),
    Hash(Hash),
    Json(OfJson),
    Object(Object),
    Pairs(Pairs),
    List(List),
    Fields(FieldsOf),
    Merge(Merge),
}

/// The first value that is there, and what is done to it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct From<R> {
    /// The first of these that says something.
    from: OneOrMany<Value>,
    /// What is done to it, step by step.
    then: Option<OneOrMany<Step>>,
    /// What its words become, whatever their letter case; nothing for others, so say `else`.
    map: Option<BTreeMap<String, R>>,
    /// What stands in where nothing came out.
    #[schemars(rename = "else")]
    otherwise: Option<R>,
}

/// The first case whose condition holds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Case<R> {
    /// The cases, tried in order.
    case: OneOrMany<Arm<R>>,
    /// What stands in where none holds, or nothing came out.
    #[schemars(rename = "else")]
    otherwise: Option<R>,
}

/// A condition, and the value where it holds.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Arm<R> {
    /// What must hold.
    when: OneOrMany<Conditions>,
    /// The value then.
    #[schemars(rename = "use")]
    value: R,
}

operators! {
    /// A header of the request.
    Header {
        /// The name of the header, whatever its letter case.
        header: String
    }
    /// A parameter of the query string.
    Query {
        /// The name of the parameter.
        query: String
    }
    /// When the delivery arrived.
    Received {
        /// `at`. Never in a key.
        received: ReceivedAt
    }
    /// 32 hexadecimal digits that depend on these values and nothing else.
    Hash {
        /// The values; the order of fields in objects does not matter.
        hash: OneOrMany<Value>
    }
    /// A text read as JSON.
    OfJson {
        /// The text; it stays a text where it is no JSON.
        json: Value
    }
    /// An object flattened to texts.
    Object {
        /// The object: `{"a": {"b": 1}}` becomes `{"a.b": "1"}`.
        object: Value
    }
    /// An object made of pairs.
    Pairs {
        /// `[["k", "v"]]`, `[{"key": "k", "value": "v"}]`, `["k:v"]`, `"k:v, k2=v2"`.
        pairs: Value
    }
    /// All of these in one list.
    List {
        /// The values; lists among them are opened.
        list: OneOrMany<Value>
    }
    /// An object of these fields, without what is missing.
    FieldsOf {
        /// The fields.
        fields: BTreeMap<String, Value>
    }
    /// The fields of several objects in one.
    Merge {
        /// The objects; the last that has a field gives it.
        merge: OneOrMany<Value>
    }
}

/// When the delivery arrived.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub(super) enum ReceivedAt {
    At,
}

/// A variable of a whole file, or a table of words for anchors.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Let {
    Value(Value),
    Words(Words),
}

/// A table of whatever anchors name.
#[derive(JsonSchema)]
#[schemars(transform = no_operators)]
pub(super) struct Words(BTreeMap<String, serde_json::Value>);

fn no_operators(schema: &mut Schema) {
    let all: Vec<&str> = operators().collect();
    schema.insert("propertyNames".to_owned(), serde_json::json!({ "not": { "enum": all } }));
}
