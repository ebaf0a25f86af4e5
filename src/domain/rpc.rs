//! The status codes of gRPC, by which some callers say how a request ended, and ours as one of them.

use crate::error::Code;

macro_rules! rpc_codes {
    ($($(#[doc = $doc:literal])+ $code:ident = $number:literal $name:literal;)+) => {
        /// How a request ended, as gRPC tells it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RpcCode { $($(#[doc = $doc])+ $code = $number),+ }

        impl RpcCode {
            /// All of them, from 0 to 16.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// Its name, e.g. `INVALID_ARGUMENT`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name),+ }
            }
        }
    };
}

rpc_codes! {
    /// It was done.
    Ok = 0 "OK";
    /// Whoever asked called it off.
    Cancelled = 1 "CANCELLED";
    /// Nobody knows.
    Unknown = 2 "UNKNOWN";
    /// What was asked makes no sense, whatever the state of things.
    InvalidArgument = 3 "INVALID_ARGUMENT";
    /// It took too long.
    DeadlineExceeded = 4 "DEADLINE_EXCEEDED";
    /// There is nothing by that name.
    NotFound = 5 "NOT_FOUND";
    /// There is something by that name already.
    AlreadyExists = 6 "ALREADY_EXISTS";
    /// The caller may not.
    PermissionDenied = 7 "PERMISSION_DENIED";
    /// A bound is reached.
    ResourceExhausted = 8 "RESOURCE_EXHAUSTED";
    /// Things do not stand as they must for it.
    FailedPrecondition = 9 "FAILED_PRECONDITION";
    /// Something else came between.
    Aborted = 10 "ABORTED";
    /// It lies beyond what there is.
    OutOfRange = 11 "OUT_OF_RANGE";
    /// There is no such method.
    Unimplemented = 12 "UNIMPLEMENTED";
    /// The server failed.
    Internal = 13 "INTERNAL";
    /// The server cannot do it at the moment.
    Unavailable = 14 "UNAVAILABLE";
    /// Something is lost for good.
    DataLoss = 15 "DATA_LOSS";
    /// Nobody knows who calls.
    Unauthenticated = 16 "UNAUTHENTICATED";
}

impl RpcCode {
    /// Its number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with this number.
    pub fn numbered(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).copied()
    }

    /// The code with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The code for an outcome of the audit trail: `SUCCESS`, one of these names, or the name of an error of ours.
    pub fn of_outcome(outcome: &str) -> Self {
        if outcome == "SUCCESS" {
            return Self::Ok;
        }
        let ours =
            || Code::ALL.iter().find(|code| code.name() == outcome).map(|code| (*code).into());
        Self::named(outcome).or_else(ours).unwrap_or(Self::Unknown)
    }
}

impl From<Code> for RpcCode {
    fn from(code: Code) -> Self {
        match code {
            Code::AuthenticateFailure => Self::Unauthenticated,
            Code::PermissionDenied | Code::WebhookDisabled => Self::PermissionDenied,
            Code::MethodNotAllowed => Self::Unimplemented,
            Code::NotFound => Self::NotFound,
            Code::NotUnique => Self::AlreadyExists,
            Code::PayloadTooLarge | Code::TooManyRequests => Self::ResourceExhausted,
            Code::AuditTrailBroken | Code::Internal => Self::Internal,
            Code::Unavailable => Self::Unavailable,
            Code::Deadline | Code::RequestTimeout => Self::DeadlineExceeded,
            Code::AlertFeatureIsNotActivated
            | Code::DefaultEscalationPolicyNotAllowDeletion
            | Code::ExistResource
            | Code::ClosedMaintenanceWindow => Self::FailedPrecondition,
            Code::InvalidParameter
            | Code::RequiredParameter
            | Code::InvalidParameterType
            | Code::Query
            | Code::OperatorValueType
            | Code::OperatorListValueType
            | Code::OperatorDictValueType
            | Code::OperatorBooleanType
            | Code::InvalidEscalationPolicy
            | Code::InvalidEscalationPolicyScope
            | Code::BadTransfer
            | Code::RulesRefused => Self::InvalidArgument,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_seventeen_and_each_is_found_by_number_and_name() {
        assert_eq!(RpcCode::ALL.len(), 17);
        for (number, code) in (0..).zip(RpcCode::ALL) {
            assert_eq!(i64::from(code.number()), number);
            assert_eq!(RpcCode::numbered(number), Some(*code));
            assert_eq!(RpcCode::named(code.name()), Some(*code));
        }
        assert_eq!((RpcCode::numbered(17), RpcCode::numbered(-1)), (None, None));
    }

    #[test]
    fn what_may_be_tried_again_is_told_by_a_code_that_says_so() {
        let number = |code: Code| RpcCode::from(code).number();
        assert_eq!(RpcCode::of_outcome("whatever").number(), 2);
        assert_eq!((number(Code::Deadline), number(Code::RequestTimeout)), (4, 4));
        assert_eq!(number(Code::Internal), 13);
        // Overload says when to come back.
        assert_eq!(number(Code::Unavailable), 14);
    }

    #[test]
    fn an_outcome_is_told_by_either_name() {
        for (outcome, code) in [
            ("SUCCESS", RpcCode::Ok),
            ("NOT_FOUND", RpcCode::NotFound),
            ("ERROR_NOT_UNIQUE", RpcCode::AlreadyExists),
            ("ERROR_REQUIRED_PARAMETER", RpcCode::InvalidArgument),
            ("whatever", RpcCode::Unknown),
        ] {
            assert_eq!(RpcCode::of_outcome(outcome), code, "{outcome}");
        }
    }
}
