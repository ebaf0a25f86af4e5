//! From what a caller sent to what a method asks for: names in either spelling, and every mistake with its place.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    api::{Call, chain, decode},
    error::{Code, Error, Result},
};

/// What a caller sent along.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    /// A JSON object.
    Json(Value),
    /// The query string, path parameters included, as it is written in URLs.
    Form(String),
}

/// How much of an identifier that a request names is recorded, in characters: whoever is refused may write anything there.
const LONGEST_ID: usize = 100;

impl Sent {
    /// Notes what a request names, e.g. `webhook:webhook-0198…`, and what is of the kind `kind` among it.
    pub(super) fn note(&self, call: &Call, kind: &str) {
        let named = match self {
            Self::Json(Value::Object(object)) => chain::named_in(object),
            Self::Json(_) => Vec::new(),
            Self::Form(text) => {
                let fields: Vec<(String, Value)> =
                    serde_urlencoded::from_str(text).unwrap_or_default();
                // What stands in the path comes last, and counts.
                chain::named_in(&fields.into_iter().collect())
            }
        };
        let cut = |named: &String| named.chars().take(kind.len() + 1 + LONGEST_ID).collect();
        let own = named.iter().find(|it| it.split_once(':').is_some_and(|(of, _)| of == kind));
        call.notes.names(own.map(cut), named);
    }
}

/// The JSON object in `body`; an empty body counts as an empty object.
pub(super) fn object(body: &[u8]) -> Result<Value> {
    if body.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let value: Value = serde_json::from_slice(body).map_err(|cause| {
        Error::new(Code::InvalidParameter, format!("the body is not JSON: {cause}"))
    })?;
    let Value::Object(fields) = value else {
        return Err(Error::new(Code::InvalidParameter, "the body must be a JSON object"));
    };
    let mut fields = snake_case_keys(fields, "")?;
    if let Some(Value::Object(query)) = fields.get_mut("query") {
        *query = snake_case_keys(std::mem::take(query), "/query")?;
    }
    Ok(Value::Object(fields))
}

/// Puts the parameters of an address into an object; what both have is a mistake.
///
/// # Errors
/// Where a parameter is in the object already, or the address cannot be read.
pub(super) fn add_parameters(object: &mut Value, query: &str) -> Result<()> {
    let parameters: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|cause| {
        let detail = format!("the parameters of the address cannot be read: {cause}");
        Error::new(Code::InvalidParameter, detail)
    })?;
    for (name, value) in parameters {
        let name = snake_case(&name);
        if !object[name.as_str()].is_null() {
            let detail = format!("`{name}` is given twice");
            return Err(Error::at(Code::InvalidParameter, format!("/{name}"), detail));
        }
        object[name.as_str()] = Value::String(value);
    }
    Ok(())
}

/// What was sent, as the type that a method asks for.
pub(super) fn request<Q: DeserializeOwned>(sent: Sent) -> Result<Q> {
    match sent {
        Sent::Json(value) => decode::request(value),
        Sent::Form(text) => serde_urlencoded::from_str(&text).map_err(|cause| {
            let reason = cause.to_string();
            let pointer = culprit::<Q>(&text, &reason).unwrap_or_default();
            decode::mistake(&reason, pointer)
        }),
    }
}

/// The parameter without which a query string would not fail for this reason.
fn culprit<Q: DeserializeOwned>(text: &str, reason: &str) -> Option<String> {
    let parameters: Vec<&str> = text.split('&').collect();
    let at = (0..parameters.len()).find(|at| {
        let others = [&parameters[..*at], &parameters[at + 1..]].concat().join("&");
        let without: Result<Q, _> = serde_urlencoded::from_str(&others);
        !without.is_err_and(|cause| cause.to_string() == reason)
    })?;
    let name = parameters[at].split('=').next().unwrap_or_default();
    Some(format!("/{}", decode::escaped(name)))
}

/// Renames `countOnly` to `count_only`; both at once are a mistake.
fn snake_case_keys(fields: Map<String, Value>, at: &str) -> Result<Map<String, Value>> {
    let mut renamed = Map::new();
    for (name, value) in fields {
        let snake = snake_case(&name);
        if renamed.contains_key(&snake) {
            let detail = format!("`{snake}` is given twice, in two spellings");
            return Err(Error::at(Code::InvalidParameter, format!("{at}/{snake}"), detail));
        }
        renamed.insert(snake, value);
    }
    Ok(renamed)
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() {
            if at > 0 {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        } else {
            snake.push(letter);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        alert_id: String,
        count_only: Option<bool>,
        query: Option<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        filter_or: Vec<u8>,
    }

    fn asked(body: &str) -> Result<Asked> {
        request(Sent::Json(object(body.as_bytes())?))
    }

    #[test]
    fn both_spellings_are_understood() {
        let camel = asked(r#"{"alertId":"a","countOnly":true,"query":{"filterOr":[1]}}"#).unwrap();
        let snake = asked(r#"{"alert_id":"a","count_only":true,"query":{"filter_or":[1]}}"#);
        assert_eq!(camel, snake.unwrap());
        let both = asked(r#"{"alertId":"a","alert_id":"b"}"#).unwrap_err();
        assert_eq!(both.mistakes[0].pointer, "/alert_id");
    }

    #[test]
    fn an_empty_body_is_an_empty_object() {
        assert_eq!(object(b" \n").unwrap(), json!({}));
        assert_eq!(object(b"[]").unwrap_err().code, Code::InvalidParameter);
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (body, code, pointer) in [
            ("{}", Code::RequiredParameter, "/alert_id"),
            (r#"{"alert_id":1}"#, Code::InvalidParameterType, "/alert_id"),
            (r#"{"alert_id":"a","stat":1}"#, Code::InvalidParameter, "/stat"),
            (
                r#"{"alert_id":"a","query":{"filter_or":[1,"x"]}}"#,
                Code::InvalidParameterType,
                "/query/filter_or/1",
            ),
            (r#"{"alert_id":"a","query":{}}"#, Code::RequiredParameter, "/query/filter_or"),
        ] {
            let error = asked(body).unwrap_err();
            assert_eq!((error.code, error.mistakes[0].pointer.as_str()), (code, pointer), "{body}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_does_no_harm() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let error = asked(&format!(r#"{{"alert_id":{deep}}}"#)).unwrap_err();
        assert_eq!(error.code, Code::InvalidParameter);
    }

    #[test]
    fn a_query_string_reads_the_same_way() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Page {
            limit: Option<u32>,
        }
        let page: Page = request(Sent::Form("limit=5".to_owned())).unwrap();
        assert_eq!(page.limit, Some(5));
        let error = request::<Page>(Sent::Form("limits=5".to_owned())).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/limits");
        let error = request::<Page>(Sent::Form("limit=five".to_owned())).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/limit");
    }
}
