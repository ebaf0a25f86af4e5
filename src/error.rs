//! What can go wrong, as the caller sees it.
//!
//! [`Code`] is the catalogue: one row per error, with its HTTP status and the
//! name that never changes. Adding an error means adding a row here.

use std::fmt;

use crate::load_error::LoadError;

/// The result of anything a caller can ask for.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $code:ident = $status:literal $name:literal;)+) => {
        /// Every error a caller can receive.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $code),+ }

        impl Code {
            /// All codes, in catalogue order.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable name, e.g. `ERROR_NOT_FOUND`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }

            /// The HTTP status it is answered with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status),+ }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

catalogue! {
    /// The request is not shaped as documented.
    InvalidParameter = 400 "ERROR_INVALID_PARAMETER";
    /// A parameter that the method needs is missing.
    RequiredParameter = 400 "ERROR_REQUIRED_PARAMETER";
    /// A parameter has the wrong type.
    InvalidParameterType = 400 "ERROR_INVALID_PARAMETER_TYPE";
    /// The query names a field, an operator or a shape that does not exist.
    Query = 400 "ERROR_DB_QUERY";
    /// This operator takes a single value, not a list.
    OperatorValueType = 400 "ERROR_OPERATOR_VALUE_TYPE";
    /// This operator takes a list of values.
    OperatorListValueType = 400 "ERROR_OPERATOR_LIST_VALUE_TYPE";
    /// This operator takes an object.
    OperatorDictValueType = 400 "ERROR_OPERATOR_DICT_VALUE_TYPE";
    /// This operator takes true or false.
    OperatorBooleanType = 400 "ERROR_OPERATOR_BOOLEAN_TYPE";
    /// The project has no alert configuration, so alerting is off for it.
    AlertFeatureIsNotActivated = 400 "ERROR_ALERT_FEATURE_IS_NOT_ACTIVATED";
    /// The escalation policy belongs to another project.
    InvalidEscalationPolicy = 400 "ERROR_INVALID_ESCALATION_POLICY";
    /// Only a policy of a whole workspace can be its default.
    InvalidEscalationPolicyScope = 400 "ERROR_INVALID_ESCALATION_POLICY_SCOPE";
    /// The default escalation policy of a workspace cannot be deleted.
    DefaultEscalationPolicyNotAllowDeletion = 400 "ERROR_DEFAULT_ESCALATION_POLICY_NOT_ALLOW_DELETION";
    /// Something still needs what should be deleted.
    ExistResource = 400 "ERROR_EXIST_RESOURCE";
    /// This maintenance window is closed and cannot be changed.
    ClosedMaintenanceWindow = 400 "ERROR_CLOSED_MAINTENANCE_WINDOW";
    /// The body was cut short or cannot be decompressed; nothing of it was kept.
    BadTransfer = 400 "ERROR_BAD_TRANSFER";
    /// The token, access key or signature is missing, unknown, expired or wrong.
    AuthenticateFailure = 401 "ERROR_AUTHENTICATE_FAILURE";
    /// The caller's role does not allow this.
    PermissionDenied = 403 "ERROR_PERMISSION_DENIED";
    /// The webhook exists but is switched off.
    WebhookDisabled = 403 "ERROR_WEBHOOK_STATE_DISABLED";
    /// There is nothing by that name in the caller's scope.
    NotFound = 404 "ERROR_NOT_FOUND";
    /// The address exists, but not for this HTTP method.
    MethodNotAllowed = 405 "ERROR_METHOD_NOT_ALLOWED";
    /// The sender took too long to send its request.
    RequestTimeout = 408 "ERROR_REQUEST_TIMEOUT";
    /// Something by that name exists already.
    NotUnique = 409 "ERROR_NOT_UNIQUE";
    /// The body is larger than the server accepts.
    PayloadTooLarge = 413 "ERROR_PAYLOAD_TOO_LARGE";
    /// The rules or plugins have mistakes, so they were not loaded; those from before are live still.
    RulesRefused = 422 "ERROR_RULES_REFUSED";
    /// The sender posts faster than its limit allows; `Retry-After` says when to go on.
    TooManyRequests = 429 "ERROR_TOO_MANY_REQUESTS";
    /// A check found records of the audit trail changed, missing or inserted: the outcome of a record, and never an answer.
    AuditTrailBroken = 500 "ERROR_AUDIT_TRAIL_BROKEN";
    /// The server failed; the log has the cause.
    Internal = 500 "ERROR_INTERNAL";
    /// The store does not take writes at the moment; `Retry-After` says when to try again.
    Unavailable = 503 "ERROR_UNAVAILABLE";
    /// The query took longer than its time limit.
    Deadline = 504 "ERROR_DEADLINE";
}

/// One mistake in a request: where it is, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where in the request, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong there, and what was expected.
    pub detail: String,
}

/// A catalogued error with the particulars of this occurrence.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// Which error it is.
    pub code: Code,
    /// What was wrong this time; shown to the caller.
    pub detail: String,
    /// The places in the request that were wrong, if any were.
    pub mistakes: Vec<Mistake>,
    /// The places in rules and plugins that were wrong, if any were.
    pub files: Vec<LoadError>,
    /// After how many seconds another try may succeed.
    pub retry_after: Option<u32>,
    /// Why, for the log; never shown to the caller.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error whose particulars the caller may see.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            mistakes: Vec::new(),
            files: Vec::new(),
            retry_after: None,
            cause: None,
        }
    }

    /// A mistake at one place of the request.
    pub fn at(code: Code, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let mistake = Mistake { pointer: pointer.into(), detail: detail.into() };
        Self { mistakes: vec![mistake.clone()], ..Self::new(code, mistake.detail) }
    }

    /// `what` with this id does not exist, as far as the caller may know.
    pub fn not_found(what: &str, id: impl fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("no {what} `{id}`"))
    }

    /// A parameter that must be given was not.
    pub fn required(parameter: &str) -> Self {
        Self::at(
            Code::RequiredParameter,
            format!("/{parameter}"),
            format!("`{parameter}` is required"),
        )
    }

    /// A failure of ours; the caller learns only that it happened.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(Code::Internal, Code::Internal.meaning().to_owned())
        }
    }

    /// The store is not able to take this now; trying again in `seconds` may help.
    pub fn unavailable(detail: impl Into<String>, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(Code::Unavailable, detail) }
    }

    /// The same error with its cause for the log.
    #[must_use]
    pub fn because(self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}
