//! Errors as the outside sees them: each dialect in its own clothes, each failure logged once, here.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web::Data,
};
use serde_json::{Value, json};

use super::{
    Front,
    watch::{Moment, route_of},
};
use crate::{
    api::posted::RpcStatus,
    error::{Code, Error},
    load_error::LoadError,
};

/// Which API was called, so how an error looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `/api/v1` and whatever is no API: `application/problem+json` (RFC 9457).
    Native,
    /// `/monitoring/v1`: Cloudforet's shape.
    Cloudforet,
    /// `/v1/k8s`: Run:ai's shape.
    Runai,
    /// `/v1/events`: H2O's shape, which is gRPC's.
    H2o,
    /// `/api` but for `/api/v1`: Iguazio's shape, which is JSON:API's.
    Iguazio,
}

impl Dialect {
    /// The dialect that the pattern of a path belongs to.
    pub(super) fn of(path: &str) -> Self {
        match path {
            _ if path.starts_with("/monitoring/") => Self::Cloudforet,
            _ if path.starts_with("/v1/k8s/") => Self::Runai,
            "/version" => Self::H2o,
            _ if path.starts_with("/v1/events") => Self::H2o,
            _ if path.starts_with("/api/") && !path.starts_with("/api/v1/") => Self::Iguazio,
            _ => Self::Native,
        }
    }

    /// The dialect of the route that a request met: a path may be written in many ways that meet the same one.
    pub(super) fn met_by(request: &HttpRequest) -> Self {
        match request.match_pattern() {
            Some(pattern) => Self::of(&pattern),
            None => Self::of(request.path()),
        }
    }

    /// The body of an answer that says `error`.
    fn body(self, error: &Error, request_id: &str) -> Value {
        let mut mistakes: Vec<Value> = error
            .mistakes
            .iter()
            .map(|mistake| json!({ "pointer": mistake.pointer, "detail": mistake.detail }))
            .collect();
        mistakes.extend(error.files.iter().map(|LoadError { file, line, column, detail, excerpt }| {
            json!({ "file": file, "line": line, "column": column, "detail": detail, "excerpt": excerpt })
        }));
        let mut body = match self {
            Self::Native => json!({
                "type": format!("urn:alertmill:error:{}", error.code.name()),
                "title": error.code.meaning(),
                "status": error.code.status(),
                "detail": error.detail,
                "code": error.code.name(),
                "request_id": request_id,
            }),
            Self::Cloudforet => json!({ "code": error.code.name(), "message": error.detail }),
            Self::Runai => json!({ "code": error.code.status(), "message": error.detail }),
            Self::H2o => return json!(RpcStatus::of(error)),
            Self::Iguazio => return json_api(error, &mistakes, request_id),
        };
        if !mistakes.is_empty() {
            body["errors"] = mistakes.into();
        }
        match self {
            Self::Cloudforet => json!({ "detail": body }),
            Self::Native | Self::Runai | Self::H2o | Self::Iguazio => body,
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Native => "application/problem+json",
            Self::Cloudforet | Self::Runai | Self::H2o | Self::Iguazio => "application/json",
        }
    }
}

/// An error as JSON:API says it: one entry for each mistake, or one in all.
fn json_api(error: &Error, mistakes: &[Value], request_id: &str) -> Value {
    let said = |detail: Value| {
        json!({
            "status": error.code.status(), "code": error.code.name(), "title": error.code.meaning(), "detail": detail,
        })
    };
    let mut errors: Vec<Value> =
        mistakes.iter().map(|mistake| said(mistake["detail"].clone())).collect();
    for (entry, mistake) in errors.iter_mut().zip(mistakes) {
        entry["source"] = json!({ "pointer": mistake["pointer"] });
    }
    if errors.is_empty() {
        errors.push(said(error.detail.clone().into()));
    }
    json!({ "errors": errors, "meta": { "ctx": request_id } })
}

/// The answer that says what went wrong with `request`.
pub(super) fn answer(request: &HttpRequest, error: &Error) -> HttpResponse {
    let moment = Moment::of(request).ok();
    log(request, error, moment.as_ref());
    let request_id = moment.map(|moment| moment.request_id).unwrap_or_default();
    let dialect = Dialect::met_by(request);
    let mut answer = builder(error);
    answer.content_type(dialect.content_type());
    answer.body(dialect.body(error, &request_id).to_string())
}

fn builder(error: &Error) -> HttpResponseBuilder {
    let status =
        StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = HttpResponse::build(status);
    if let Some(seconds) = error.retry_after {
        answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    if error.code == Code::MethodNotAllowed {
        // Where another method is allowed, whoever knows says so.
        answer.insert_header((header::ALLOW, ""));
    }
    if error.code == Code::AuthenticateFailure {
        answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    answer
}

fn log(request: &HttpRequest, error: &Error, moment: Option<&Moment>) {
    let (route, code, status) = (route_of(request), error.code.name(), error.code.status());
    let request_id = moment.map(|moment| moment.request_id.as_str());
    let remote = moment.map(|moment| moment.remote.as_str());
    let cause = error.cause.as_deref().map(tracing::field::display);
    match loudness(request, error.code, moment) {
        Loudness::Failure => {
            tracing::error!(route, code, status, request_id, remote, cause, "request failed");
        }
        Loudness::Trouble => {
            let detail = &error.detail;
            tracing::warn!(
                route,
                code,
                status,
                request_id,
                remote,
                detail,
                cause,
                "request failed"
            );
        }
        Loudness::Refusal => {
            tracing::info!(route, code, status, request_id, remote, cause, "request refused");
        }
        Loudness::Repetition => {
            tracing::debug!(route, code, status, request_id, remote, cause, "request refused");
        }
    }
}

/// How loudly an error is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loudness {
    Failure,
    Trouble,
    Refusal,
    Repetition,
}

fn loudness(request: &HttpRequest, code: Code, moment: Option<&Moment>) -> Loudness {
    let is_news = || match (request.app_data::<Data<Front>>(), moment) {
        (Some(front), Some(moment)) => front.quiet.is_news(code, &moment.remote, moment.now),
        (None, _) | (_, None) => true,
    };
    match code {
        Code::AuditTrailBroken | Code::Internal => Loudness::Failure,
        Code::Deadline => Loudness::Trouble,
        Code::Unavailable if is_news() => Loudness::Trouble,
        // Whoever may knock can make these, as often as they like.
        Code::AuthenticateFailure | Code::TooManyRequests | Code::WebhookDisabled if is_news() => {
            Loudness::Refusal
        }
        Code::Unavailable
        | Code::AuthenticateFailure
        | Code::TooManyRequests
        | Code::WebhookDisabled
        | Code::NotFound
        | Code::MethodNotAllowed => Loudness::Repetition,
        Code::InvalidParameter
        | Code::RequiredParameter
        | Code::InvalidParameterType
        | Code::Query
        | Code::OperatorValueType
        | Code::OperatorListValueType
        | Code::OperatorDictValueType
        | Code::OperatorBooleanType
        | Code::AlertFeatureIsNotActivated
        | Code::InvalidEscalationPolicy
        | Code::InvalidEscalationPolicyScope
        | Code::DefaultEscalationPolicyNotAllowDeletion
        | Code::ExistResource
        | Code::ClosedMaintenanceWindow
        | Code::BadTransfer
        | Code::PermissionDenied
        | Code::RequestTimeout
        | Code::NotUnique
        | Code::RulesRefused
        | Code::PayloadTooLarge => Loudness::Refusal,
    }
}

/// Answers an address that is not in the table.
pub(super) async fn nowhere(request: HttpRequest) -> HttpResponse {
    answer(&request, &Error::new(Code::NotFound, "there is nothing at this address"))
}

/// Answers an address that is in the table, but not for this HTTP method.
pub(super) fn wrong_method(request: &HttpRequest, allowed: &str) -> HttpResponse {
    let error = Error::new(Code::MethodNotAllowed, format!("this address takes {allowed}"));
    let mut answer = answer(request, &error);
    if let Ok(allowed) = header::HeaderValue::from_str(allowed) {
        answer.headers_mut().insert(header::ALLOW, allowed);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_the_native_api_has_the_fields_of_rfc_9457() {
        let error = Error::at(Code::Query, "/query/filter/0/k", "unknown field `sevrity`");
        insta::assert_json_snapshot!(Dialect::Native.body(&error, "request-1"), @r#"
        {
          "code": "ERROR_DB_QUERY",
          "detail": "unknown field `sevrity`",
          "errors": [
            {
              "detail": "unknown field `sevrity`",
              "pointer": "/query/filter/0/k"
            }
          ],
          "request_id": "request-1",
          "status": 400,
          "title": "The query names a field, an operator or a shape that does not exist.",
          "type": "urn:alertmill:error:ERROR_DB_QUERY"
        }
        "#);
    }

    #[test]
    fn cloudforet_sees_its_own_shape() {
        let error = Error::not_found("alert", "alert-1");
        insta::assert_json_snapshot!(Dialect::Cloudforet.body(&error, "request-1"), @r#"
        {
          "detail": {
            "code": "ERROR_NOT_FOUND",
            "message": "no alert `alert-1`"
          }
        }
        "#);
    }

    #[test]
    fn an_answer_never_tells_the_cause() {
        let error = Error::internal("disk on fire");
        for dialect in [Dialect::Native, Dialect::Cloudforet] {
            assert!(!dialect.body(&error, "request-1").to_string().contains("fire"));
        }
    }

    #[test]
    fn who_should_come_back_is_told_when() {
        let answer = builder(&Error::unavailable("busy", 7)).finish();
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.headers().get(header::RETRY_AFTER).unwrap(), "7");
    }
}
