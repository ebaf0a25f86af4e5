//! What was done, by whom, to what: records that are chained, so that a missing or changed one shows.
//!
//! One envelope serves what is done to and in Alertmill, and what other services report of what is done in them; each
//! kind is a [`Trail`] of its own with its own chain and numbers.

mod check;
mod compare;
mod seal;
mod tidy;

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

pub use self::{
    check::{Broken, Checker, Fault, Written},
    compare::{Comparison, Exported},
    seal::{Cut, Head, Link, SealKey},
};
use super::{project::Domain, words::words};
use crate::{
    clock::{Timestamp, rfc3339},
    digest::{Digest, hex, sha256},
    error::Error,
    id::{Id, Identified, Mint},
};

/// What the outcome of what was done is called; else it is the code of an error.
pub const SUCCESS: &str = "SUCCESS";

/// How the hash of a new record is made.
pub const FORMAT: u32 = 2;

words! {
    /// Whose doings a record tells of.
    Trail {
        /// What was done to and in Alertmill.
        Own = "OWN",
        /// What other services did, as they posted it.
        Posted = "POSTED",
        /// What happened in a system that reports it here.
        Event = "EVENT",
        /// What people and services did in a system that reports it here.
        AuditEvent = "AUDIT_EVENT",
        /// What parts of a system told each other.
        Communication = "COMMUNICATION_EVENT",
    }
}

words! {
    /// What kind of somebody did something.
    ActorKind {
        /// A person with a login.
        User = "user",
        /// A machine account.
        Application = "application",
        /// Whoever holds a token that belongs to nobody.
        Token = "token",
        /// What posts to a webhook.
        Webhook = "webhook",
        /// What happens by itself.
        Timer = "timer",
        /// A command on the machine itself.
        Command = "command",
        /// Who was sent a message.
        Recipient = "recipient",
        /// Another service, as it names itself.
        Service = "service",
        /// Whoever showed nothing.
        Nobody = "anonymous",
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Its identifier, e.g. `user-0198…` or `retention`.
    pub id: String,
    /// What people call it; the identifier where nobody calls it anything else.
    pub name: String,
}

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entity {
    /// What it is, e.g. `webhook`.
    pub kind: String,
    /// Its identifier; empty where it is none in particular.
    pub id: String,
    /// What people call it, if it has a name.
    pub name: Option<String>,
}

/// One thing that was done, or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRecord {
    /// Its identifier.
    pub audit_id: Id<AuditRecord>,
    /// Its number in its chain, from one, without gaps.
    pub sequence: u64,
    /// The domain whose chain it is in.
    pub domain_id: Id<Domain>,
    /// Which of the domain's chains it is in.
    pub trail: Trail,
    /// How its hash is made.
    pub format: u32,
    /// What its sender calls it, if somebody sent it.
    pub posted_id: Option<String>,
    /// What is recorded.
    pub entry: AuditEntry,
    /// The hash of the record before it; zeros for the first.
    pub previous: Digest,
    /// The hash of this record, `previous` included.
    pub hash: Digest,
}

/// What one record says.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// When it was done.
    pub occurred_at: Timestamp,
    /// When we learned of it.
    pub received_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, e.g. `webhook.create`.
    pub action: String,
    /// What it was done to.
    pub entity: Option<Entity>,
    /// Whether it was done: [`SUCCESS`], or the code of the error it was refused with.
    pub outcome: String,
    /// Why it was not done.
    pub reason: Option<String>,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so now.
    pub after: Option<Value>,
    /// The address it came from.
    pub remote: Option<String>,
    /// The program that it came from, as that names itself.
    pub user_agent: Option<String>,
    /// The request it came in.
    pub request_id: Option<String>,
    /// What else its sender said, as it came: an object.
    pub details: Value,
}

impl Identified for AuditRecord {
    const PREFIX: &'static str = "audit";
}

impl Actor {
    /// Somebody of this kind.
    pub fn new(kind: ActorKind, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, id: id.into(), name: name.into() }
    }

    /// Somebody who is known by an identifier alone.
    pub fn unnamed(kind: ActorKind, id: impl Into<String>) -> Self {
        let id = id.into();
        Self { kind, name: id.clone(), id }
    }

    /// Who is written like this, e.g. `token:token-0198…`; a text of another form is a service.
    pub fn parse(text: &str) -> Self {
        let (kind, id) = text.split_once(':').unwrap_or_default();
        match ActorKind::from_str(kind) {
            Ok(kind) => Self::unnamed(kind, id),
            Err(_) => Self::unnamed(ActorKind::Service, text),
        }
    }

    /// The same under this name.
    #[must_use]
    pub fn called(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl Entity {
    /// This thing.
    pub fn new(kind: &str, id: impl fmt::Display) -> Self {
        Self { kind: kind.to_owned(), id: id.to_string(), name: None }
    }

    /// What is written like this, e.g. `webhook:webhook-0198…`.
    pub fn parse(text: &str) -> Self {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        Self::new(kind, id)
    }

    /// None in particular of the kind that an action is about: a user of `user.create`.
    pub fn of_action(action: &str) -> Self {
        Self::new(action.split('.').next().unwrap_or_default(), "")
    }

    /// The same with its name, if it has one.
    #[must_use]
    pub fn called(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&first_text(&self.kind, &self.id))
    }
}

impl AuditEntry {
    /// What `actor` did just now, with success.
    pub fn new(now: Timestamp, actor: Actor, action: &str) -> Self {
        Self {
            occurred_at: now,
            received_at: now,
            actor,
            action: action.to_owned(),
            entity: None,
            outcome: SUCCESS.to_owned(),
            reason: None,
            before: None,
            after: None,
            remote: None,
            user_agent: None,
            request_id: None,
            details: Value::Object(serde_json::Map::new()),
        }
    }

    /// The same, done to this.
    #[must_use]
    pub fn on(self, entity: Entity) -> Self {
        Self { entity: Some(entity), ..self }
    }

    /// The same, with what was so before and what is so now.
    #[must_use]
    pub fn changed(self, before: Option<Value>, after: Option<Value>) -> Self {
        Self { before, after, ..self }
    }

    /// The same, but it was refused for this reason.
    #[must_use]
    pub fn refused(self, error: &Error) -> Self {
        let (outcome, reason) = (error.code.name().to_owned(), Some(error.detail.clone()));
        Self { outcome, reason, ..self }
    }

    /// The same, with what else there is to say.
    #[must_use]
    pub fn saying(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// Whether it was done.
    pub fn is_success(&self) -> bool {
        self.outcome == SUCCESS
    }

    /// The hash of a record with this entry: the SHA-256 of the hash before it and of what it says, as JSON with
    /// sorted keys.
    pub fn chained(&self, place: &Place<'_>) -> Digest {
        let said = if place.format < FORMAT { self.first_form(place) } else { self.form(place) };
        sha256(said.to_string().as_bytes())
    }

    fn form(&self, place: &Place<'_>) -> Value {
        let Self {
            occurred_at,
            received_at,
            actor,
            action,
            entity,
            outcome,
            reason,
            before,
            after,
            remote,
            user_agent,
            request_id,
            details,
        } = self;
        let entity = entity
            .as_ref()
            .map(|Entity { kind, id, name }| json!({ "type": kind, "id": id, "name": name }));
        json!({
            "format": place.format,
            "domain": place.domain.as_str(),
            "trail": place.trail.as_str(),
            "sequence": place.sequence,
            "audit_id": place.audit_id.as_str(),
            "posted_id": place.posted_id,
            "occurred_at": rfc3339(*occurred_at),
            "received_at": rfc3339(*received_at),
            "actor": { "type": actor.kind.as_str(), "id": actor.id, "name": actor.name },
            "action": action,
            "entity": entity,
            "outcome": outcome,
            "reason": reason,
            "before": before,
            "after": after,
            "remote": remote,
            "user_agent": user_agent,
            "request_id": request_id,
            "details": details,
            "previous": hex(place.previous),
        })
    }

    /// What the hashes of records are made of that were written before there were trails.
    fn first_form(&self, place: &Place<'_>) -> Value {
        json!({
            "sequence": place.sequence,
            "occurred_at": rfc3339(self.occurred_at),
            "actor": first_text(self.actor.kind.as_str(), &self.actor.id),
            "action": self.action,
            "resource": self.entity.as_ref().map(|it| first_text(&it.kind, &it.id)),
            "outcome": self.outcome,
            "before": self.before,
            "after": self.after,
            "remote": self.remote,
            "request_id": self.request_id,
            "previous": hex(place.previous),
        })
    }
}

/// Who or what it was, by kind and identifier alone, as it was written before there were names.
fn first_text(kind: &str, id: &str) -> String {
    if id.is_empty() { kind.to_owned() } else { format!("{kind}:{id}") }
}

/// Where a record stands in its chain.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// How its hash is made.
    pub format: u32,
    /// The domain.
    pub domain: &'a Id<Domain>,
    /// The trail.
    pub trail: Trail,
    /// Its number.
    pub sequence: u64,
    /// Its identifier.
    pub audit_id: &'a Id<AuditRecord>,
    /// What its sender calls it.
    pub posted_id: Option<&'a str>,
    /// The hash of the record before it.
    pub previous: &'a Digest,
}

impl AuditRecord {
    /// The next record of a chain that stands so.
    pub fn next(head: &Head, posted_id: Option<&str>, entry: AuditEntry, mint: &Mint) -> Self {
        let mut record = Self {
            audit_id: mint.id(entry.received_at),
            sequence: head.last.sequence + 1,
            domain_id: head.domain_id.clone(),
            trail: head.trail,
            format: FORMAT,
            posted_id: posted_id.map(str::to_owned),
            entry,
            previous: head.last.hash,
            hash: [0; 32],
        };
        record.hash = record.entry.chained(&record.place());
        record
    }

    /// Whether it says what its hash says, and follows a record whose hash is `previous`.
    pub fn follows(&self, previous: &Digest) -> bool {
        self.previous == *previous && self.is_as_written()
    }

    /// Whether it says what its hash says.
    pub fn is_as_written(&self) -> bool {
        let has_form = match self.format {
            FORMAT => true,
            1 => self.is_of_old(),
            _ => false,
        };
        has_form && self.hash == self.entry.chained(&self.place())
    }

    /// Whether it says nothing that the first form of hashes does not know.
    fn is_of_old(&self) -> bool {
        let AuditEntry {
            occurred_at, received_at, actor, entity, reason, user_agent, details, ..
        } = &self.entry;
        // What it was stands before the first colon.
        let has_no_name = entity
            .as_ref()
            .is_none_or(|entity| entity.name.is_none() && !entity.kind.contains(':'));
        let says_no_more = details.as_object().is_some_and(serde_json::Map::is_empty);
        occurred_at == received_at
            && actor.name == actor.id
            && has_no_name
            && says_no_more
            && (&self.posted_id, reason, user_agent) == (&None, &None, &None)
            && self.trail == Trail::Own
    }

    fn place(&self) -> Place<'_> {
        Place {
            format: self.format,
            domain: &self.domain_id,
            trail: self.trail,
            sequence: self.sequence,
            audit_id: &self.audit_id,
            posted_id: self.posted_id.as_deref(),
            previous: &self.previous,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        let actor = Actor::unnamed(ActorKind::Token, "token-1");
        assert_eq!(Actor::parse(&actor.to_string()), actor);
        assert_eq!(Actor::parse("me").kind, ActorKind::Service);
    }

    #[test]
    fn an_entity_is_read_as_it_is_written() {
        let entity = Entity::new("webhook", "webhook-1");
        assert_eq!(Entity::parse(&entity.to_string()), entity);
    }
}
