//! Who calls, when, and what the call touched.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::Serialize;
use serde_json::Value;

use super::journal::{Journal, Touched};
use crate::{
    clock::Timestamp,
    domain::{
        audit::{Actor, ActorKind},
        kind::Kinds,
        project::Domain,
        scope::{Reach, Scope},
        token::Token,
        webhook::Webhook,
        words::Role,
    },
    id::{Id, Mint},
    plugins::Defaults,
    store::Requests,
};

/// Tells how many deliveries a webhook took.
pub type CountRequests = Arc<dyn Fn(&Id<Webhook>) -> Requests + Send + Sync>;

/// Tells which rules a project gets with its first webhook of a provider.
pub type TellDefaults = Arc<dyn Fn(&str) -> Defaults + Send + Sync>;

/// Tells what was refused at the door of a webhook lately, newest first; of unknown webhooks where none is named.
pub type TellRefused = Arc<dyn Fn(Option<&Id<Webhook>>) -> Vec<Refused> + Send + Sync>;

/// The circumstances of a call.
#[derive(Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// When.
    pub now: Timestamp,
    /// The request it came in.
    pub request_id: String,
    /// The address it came from.
    pub remote: Option<String>,
    /// The program that it came from, as that names itself.
    pub user_agent: Option<String>,
    /// What makes new identifiers.
    pub mint: Mint,
    /// What addresses that we print begin with, e.g. `http://127.0.0.1:8080`.
    pub public_url: String,
    /// The plugins there are.
    pub plugins: Arc<BTreeSet<String>>,
    /// Which rules a project gets with its first webhook of a provider.
    pub defaults: TellDefaults,
    /// The kinds of events that have a definition.
    pub kinds: Arc<Kinds>,
    /// How many deliveries a webhook took.
    pub requests: CountRequests,
    /// What was refused at the door of a webhook lately; of unknown webhooks where none is named.
    pub refused: TellRefused,
    /// What the call touched, for the audit trail.
    pub notes: Journal,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is in records: `user:<id>`, `application:<id>` or `token:<id>`.
    pub actor: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it may see.
    pub scope: Scope,
    /// The token it showed.
    pub token_id: Id<Token>,
}

impl Caller {
    /// Somebody who showed nothing, and sees nothing.
    pub fn nobody() -> Self {
        let none = Scope {
            domains: Reach::Only(BTreeSet::new()),
            workspaces: Reach::Only(BTreeSet::new()),
            projects: Reach::Only(BTreeSet::new()),
        };
        Self {
            actor: format!("{}:", ActorKind::Nobody),
            name: ActorKind::Nobody.as_str().to_owned(),
            role: Role::WorkspaceMember,
            scope: none,
            token_id: "nobody".into(),
        }
    }
}

/// A delivery that was refused at the door.
#[derive(Clone, Debug)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// The webhook it was for, as the sender named it.
    pub webhook_id: String,
    /// The address it came from.
    pub remote: String,
    /// Why, e.g. `ERROR_AUTHENTICATE_FAILURE`.
    pub reason: String,
}

impl Call {
    /// Who calls, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor::parse(&self.caller.actor).called(&*self.caller.name)
    }

    /// Notes for the audit trail that the call is about to touch something, so that a refusal names it too.
    pub fn touches(&self, kind: &str, id: impl fmt::Display) {
        self.notes.touches(format!("{kind}:{id}"));
    }

    /// Notes for the audit trail what the call did to something. Neither view may hold a secret or its digest. Its record
    /// goes to the chain of the domain that a view names, or that the thing is found in.
    pub fn touched(
        &self,
        kind: &str,
        id: impl fmt::Display,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        let resource = format!("{kind}:{id}");
        self.notes.note(Touched { before, after, ..Touched::named(resource) });
    }

    /// The same of what is in this domain, whatever its views say.
    pub fn touched_in(
        &self,
        domain: &Id<Domain>,
        (kind, id): (&str, impl fmt::Display),
        (before, after): (Option<Value>, Option<Value>),
    ) {
        let resource = format!("{kind}:{id}");
        let domain = Some(domain.clone());
        self.notes.note(Touched { domain, before, after, ..Touched::named(resource) });
    }

    /// Notes for the audit trail what went along with something that the call touched.
    pub fn took_along(&self, (kind, id): (&str, impl fmt::Display), what: &str, value: Value) {
        self.notes.along(&format!("{kind}:{id}"), what, value);
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("caller", &self.caller)
            .field("now", &self.now)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

/// A view as JSON, for the audit trail.
pub(super) fn seen(view: &impl Serialize) -> Option<Value> {
    serde_json::to_value(view).ok()
}
