//! The fixed vocabularies: what may stand in a field that takes one of a few words.

/// A text that is none of the words it should be one of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {expected}")]
pub struct UnknownWord {
    /// What was found.
    pub found: String,
    /// What was expected: the words, separated by commas.
    pub expected: String,
}

macro_rules! words {
    ($(#[doc = $title:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $word:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $title])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[doc = $doc])+ #[serde(rename = $text)] $word),+ }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// The word itself.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }

            /// What it means, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$word => concat!($($doc),+).trim_ascii()),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::words::UnknownWord;

            fn from_str(text: &str) -> std::result::Result<Self, $crate::domain::words::UnknownWord> {
                match text {
                    $($text => Ok(Self::$word),)+
                    other => Err($crate::domain::words::UnknownWord {
                        found: other.to_owned(),
                        expected: [$($text),+].join(", "),
                    }),
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// How bad it is, from the least to the worst.
    Severity {
        /// Nothing is known of its severity.
        None = "NONE",
        /// Good to know.
        Info = "INFO",
        /// It may become bad.
        Warning = "WARNING",
        /// The sender cannot tell how it stands, which is bad by itself.
        NotAvailable = "NOT_AVAILABLE",
        /// Something is broken.
        Error = "ERROR",
        /// Something important is broken.
        Critical = "CRITICAL",
    }
}

words! {
    /// How soon a person must look, from the least to the most.
    Urgency {
        /// In working hours will do.
        Low = "LOW",
        /// Now.
        High = "HIGH",
    }
}

words! {
    /// Which way an event goes.
    EventType {
        /// Something broke, or is still broken.
        Alert = "ALERT",
        /// It works again.
        Recovery = "RECOVERY",
        /// We could not read what was sent.
        Error = "ERROR",
    }
}

words! {
    /// Where an alert stands.
    AlertState {
        /// Nobody has taken it yet.
        Triggered = "TRIGGERED",
        /// Someone is on it.
        Acknowledged = "ACKNOWLEDGED",
        /// It is over.
        Resolved = "RESOLVED",
        /// What a sender posts cannot be read.
        Error = "ERROR",
    }
}

words! {
    /// Whether a webhook takes deliveries.
    WebhookState {
        /// It does.
        Enabled = "ENABLED",
        /// It answers 403 until it is enabled again.
        Disabled = "DISABLED",
    }
}

words! {
    /// What a recovery does to the open alert of its key.
    RecoveryMode {
        /// It only joins; a person resolves.
        Manual = "MANUAL",
        /// It resolves the alert.
        Auto = "AUTO",
    }
}

words! {
    /// Which alerts of a project notify.
    NotificationUrgency {
        /// All of them.
        All = "ALL",
        /// Only those of urgency HIGH.
        HighOnly = "HIGH_ONLY",
    }
}

words! {
    /// How many of the conditions of an event rule must hold.
    ConditionsPolicy {
        /// Each of them.
        All = "ALL",
        /// One of them.
        Any = "ANY",
        /// None is asked: the rule always matches.
        Always = "ALWAYS",
    }
}

words! {
    /// Whose a resource is.
    ResourceGroup {
        /// All projects of a workspace.
        Workspace = "WORKSPACE",
        /// One project.
        Project = "PROJECT",
        /// One webhook.
        Webhook = "WEBHOOK",
    }
}

words! {
    /// What a token's holder may do within its scope.
    Role {
        /// Everything, everywhere.
        SystemAdmin = "SYSTEM_ADMIN",
        /// Reads everything of a domain.
        DomainAdmin = "DOMAIN_ADMIN",
        /// Reads and writes everything of its workspaces, tokens and projects included.
        WorkspaceOwner = "WORKSPACE_OWNER",
        /// Reads and writes in its projects.
        WorkspaceMember = "WORKSPACE_MEMBER",
        /// An application: reads and writes in its projects.
        Service = "SERVICE",
    }
}

words! {
    /// What became of one item of a delivery.
    Outcome {
        /// It opened an alert.
        Opened = "opened",
        /// It joined the open alert of its key.
        Joined = "joined",
        /// It resolved the open alert of its key.
        Resolved = "resolved",
        /// It is stored and changed no alert.
        Kept = "kept",
        /// It was not understood; it is kept as it came and can be driven again.
        Dead = "dead",
    }
}

words! {
    /// Where a delivery stands.
    DeliveryState {
        /// All of it was understood.
        Applied = "applied",
        /// It was understood, and is no event: a test send, a handshake, an empty batch.
        Ignored = "ignored",
        /// Some of its items were not understood.
        Partial = "partial",
        /// Nothing of it was understood.
        Dead = "dead",
    }
}

words! {
    /// Why an event did to alerts what it did.
    Why {
        /// No open alert had this key.
        NewKey = "new_key",
        /// The last alert of this key was resolved, and this occurred later.
        OpensAgain = "opens_again",
        /// An open alert had this key.
        SameKey = "same_key",
        /// An open alert had this key, and this is worse than what it held.
        Worse = "worse",
        /// It is the recovery of the open alert.
        Recovers = "recovers",
        /// It is the recovery of the open alert, but the project's recovery mode is MANUAL.
        ManualRecovery = "manual_recovery",
        /// It is a recovery, and no open alert had this key.
        NothingToRecover = "nothing_to_recover",
        /// It occurred before the recovery that resolved the last alert of this key.
        Late = "late",
        /// Its recovery had arrived before it, so its alert opened and resolved at once.
        AlreadyRecovered = "already_recovered",
        /// What the webhook's sender posts could not be read.
        Unreadable = "unreadable",
        /// An event rule dropped it: it is kept and counted, and touches no alert.
        Dropped = "dropped",
        /// A group rule wants more events before an alert opens.
        BelowThreshold = "below_threshold",
        /// It is the recovery of the open alert, which stays open because it flaps or others are part of it.
        HeldOpen = "held_open",
    }
}

words! {
    /// Why a delivery, or an item of it, was not understood.
    Cause {
        /// The body cannot be decoded as its plugin says.
        BadBody = "bad_body",
        /// The provider has no mapping.
        NoMapping = "no_mapping",
        /// No variant of the mapping fits the body.
        NoVariant = "no_variant",
        /// A field of the event could not be made from the item.
        BadItem = "bad_item",
        /// The item has no event key.
        NoKey = "no_key",
        /// The script of its plugin failed, or was stopped.
        BadScript = "bad_script",
    }
}

impl Severity {
    /// The urgency of an alert of this severity (Cloudforet monitoring v1, grouping).
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::Critical | Self::Error | Self::NotAvailable => Urgency::High,
            Self::None | Self::Info | Self::Warning => Urgency::Low,
        }
    }
}

impl AlertState {
    /// Whether events of the same key join an alert in this state.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Triggered | Self::Acknowledged | Self::Error => true,
            Self::Resolved => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(*severity));
        }
        let wrong = "HIHG".parse::<Urgency>().unwrap_err();
        assert_eq!(wrong.to_string(), "`HIHG` is not one of LOW, HIGH");
    }
}
