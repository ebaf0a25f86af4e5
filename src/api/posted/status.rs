//! How an error is told to callers who speak gRPC: `google.rpc.Status`.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{domain::rpc::RpcCode, error::Error};

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RpcStatus {
    /// A status code of gRPC, 0 to 16.
    pub code: u8,
    /// What was wrong.
    pub message: String,
    /// The places that were wrong (`google.rpc.BadRequest`), and the name of the error (`google.rpc.ErrorInfo`).
    pub details: Vec<Value>,
}

impl RpcStatus {
    /// How this error is told.
    pub fn of(error: &Error) -> Self {
        let mut details = Vec::new();
        let violations: Vec<Value> = error
            .mistakes
            .iter()
            .map(
                |mistake| json!({ "field": path(&mistake.pointer), "description": mistake.detail }),
            )
            .collect();
        if !violations.is_empty() {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": violations,
            }));
        }
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": error.code.name(),
            "domain": "alertmill",
        }));
        Self { code: RpcCode::from(error.code).number(), message: message(error), details }
    }
}

/// What was wrong, with the place where the words themselves do not name it.
fn message(error: &Error) -> String {
    let place = error.mistakes.first().map(|mistake| path(&mistake.pointer)).unwrap_or_default();
    let name = place.rsplit('.').next().unwrap_or_default();
    if name.is_empty() || error.detail.contains(name) {
        return error.detail.clone();
    }
    format!("{place}: {}", error.detail)
}

/// A JSON pointer as the path of a field: `requests.3.event.principal`.
fn path(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".").replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn an_error_names_its_place_and_itself() {
        let error = Error::at(Code::InvalidParameterType, "/event/principal", "invalid type: 5");
        insta::assert_json_snapshot!(RpcStatus::of(&error), @r#"
        {
          "code": 3,
          "message": "event.principal: invalid type: 5",
          "details": [
            {
              "@type": "type.googleapis.com/google.rpc.BadRequest",
              "fieldViolations": [
                {
                  "description": "invalid type: 5",
                  "field": "event.principal"
                }
              ]
            },
            {
              "@type": "type.googleapis.com/google.rpc.ErrorInfo",
              "domain": "alertmill",
              "reason": "ERROR_INVALID_PARAMETER_TYPE"
            }
          ]
        }
        "#);
        let named = Error::required("event_id");
        assert_eq!(RpcStatus::of(&named).message, "`event_id` is required");
    }
}
