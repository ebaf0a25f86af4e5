//! The words that events and their kinds are described by.

use crate::domain::words::words;

words! {
    /// One of the lists that events are kept in; an event is in one of them.
    EventList {
        /// What happened in the services.
        Event = "event",
        /// What users and the system did.
        AuditEvent = "audit_event",
        /// What the services tell each other.
        CommunicationEvent = "communication_event",
    }
}

words! {
    /// How bad an event is, from what nobody knows and the least to the worst.
    EventSeverity {
        /// Nothing is known of its severity.
        Unknown = "unknown",
        /// For who looks for a fault.
        Debug = "debug",
        /// Good to know.
        Info = "info",
        /// It may become bad.
        Warning = "warning",
        /// Something is broken.
        Major = "major",
        /// Something important is broken.
        Critical = "critical",
    }
}

words! {
    /// What an event is about.
    Classification {
        /// Nobody has said.
        Unknown = "unknown",
        /// Hardware.
        Hardware = "hw",
        /// What a user did.
        UserAction = "ua",
        /// What runs by itself.
        Background = "bg",
        /// Software.
        Software = "sw",
        /// What was promised to customers.
        Sla = "sla",
        /// Room and load.
        Capacity = "cap",
        /// Security.
        Security = "sec",
        /// Who did what.
        Audit = "audit",
        /// The system as a whole.
        System = "system",
    }
}

words! {
    /// Whom an event is shown to.
    Visibility {
        /// Nobody has said, so it is shown as if it were internal.
        Unknown = "unknown",
        /// To administrators alone.
        Internal = "internal",
        /// To users, too.
        External = "external",
        /// To users, being of no interest to who runs the system.
        CustomerOnly = "customerOnly",
    }
}

words! {
    /// What a parameter of an event holds.
    ParameterType {
        /// A text, in `parameters_text`.
        Text = "text",
        /// A whole number from zero, in `parameters_uint64`.
        Uint64 = "uint64",
    }
}

words! {
    /// Whether something recorded was done.
    Verdict {
        /// It was.
        Done = "done",
        /// It was refused, or it failed.
        Refused = "refused",
    }
}

words! {
    /// What of a record of Alertmill's own a parameter holds.
    Part {
        /// The name of who did it.
        Actor = "actor",
        /// The kind of thing it was done to.
        EntityType = "entity_type",
        /// The identifier of what it was done to.
        EntityId = "entity_id",
        /// The name of what it was done to.
        EntityName = "entity_name",
        /// `SUCCESS`, or the code of the error.
        Outcome = "outcome",
        /// Why it was refused.
        Reason = "reason",
        /// The address it came from.
        Remote = "remote",
        /// The program it came from.
        UserAgent = "user_agent",
        /// The request it came in.
        RequestId = "request_id",
    }
}

impl Visibility {
    /// Whether users see it who administer nothing.
    pub const fn is_shown_outside(self) -> bool {
        match self {
            Self::External | Self::CustomerOnly => true,
            Self::Unknown | Self::Internal => false,
        }
    }
}
