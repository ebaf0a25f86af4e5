//! Who calls, when, and what the call touched.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde::Serialize;
use serde_json::Value;

use crate::{
    clock::Timestamp,
    domain::{
        audit::{Actor, ActorKind},
        kind::Kinds,
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

/// What a call touched. Copies write into the same journal.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    touched: Arc<Mutex<Vec<Touched>>>,
    about: Arc<OnceLock<String>>,
}

/// One thing that a call touched.
#[derive(Clone, Debug, PartialEq)]
pub struct Touched {
    /// What it is, e.g. `webhook:webhook-0198…`.
    pub resource: String,
    /// What was so before; `None` where it was not there.
    pub before: Option<Value>,
    /// What is so now; `None` where it is gone.
    pub after: Option<Value>,
}

impl Call {
    /// Who calls, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor::parse(&self.caller.actor).called(&*self.caller.name)
    }

    /// Notes for the audit trail that the call is about to touch something, so that a refusal names it too.
    pub fn touches(&self, kind: &str, id: impl fmt::Display) {
        self.touched(kind, id, None, None);
    }

    /// Notes for the audit trail what the call did to something. Neither view may hold a secret or its digest.
    pub fn touched(
        &self,
        kind: &str,
        id: impl fmt::Display,
        before: Option<Value>,
        after: Option<Value>,
    ) {
        let resource = format!("{kind}:{id}");
        let mut touched = self.notes.touched.lock().unwrap_or_else(PoisonError::into_inner);
        match touched.iter_mut().find(|noted| noted.resource == resource) {
            Some(noted) => {
                noted.before = noted.before.take().or(before);
                noted.after = after;
            }
            None => touched.push(Touched { resource, before, after }),
        }
    }
}

impl Journal {
    /// Notes what the request names, e.g. `webhook:webhook-0198…`: a refusal is about that where nothing else was noted.
    pub fn names(&self, resource: String) {
        // The first word stands: a request names one thing.
        let _ = self.about.set(resource);
    }

    /// What the request names.
    pub fn about(&self) -> Option<Touched> {
        let resource = self.about.get()?.clone();
        Some(Touched { resource, before: None, after: None })
    }

    /// Whether something was noted whose name begins like this.
    pub fn has(&self, beginning: &str) -> bool {
        let touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.iter().any(|noted| noted.resource.starts_with(beginning))
    }

    /// All that was noted; the journal is empty after.
    pub fn take(&self) -> Vec<Touched> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
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
