//! `audit.*`: what was done, and what was refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Call, Moment, Page, bounded::bounded, by_itself, chain, journal::Touched, named};
use crate::{
    digest::hex,
    domain::{
        audit::{Actor, ActorKind, AuditEntry, AuditRecord, Entity, Trail},
        project::Domain,
        scope::{Reach, Scope},
    },
    error::{Code, Error, Result},
    id::Id,
    load_error::LoadError,
    query::{AUDITS, Query},
    store::Tx,
    value::patch,
};

/// How many mistakes in rules and plugins are named that something was refused for.
const FILES: usize = 20;

/// The most records a page has, and how many it has where nothing is said.
const MOST: u32 = 1000;

/// One thing that was done, or refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditInfo {
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
    /// When it was done.
    pub occurred_at: Moment,
    /// When we learned of it.
    pub created_at: Moment,
    /// Who did it, e.g. `token:token-0198…`.
    pub actor: String,
    /// What kind of somebody did it.
    pub actor_type: ActorKind,
    /// The identifier of who did it.
    pub actor_id: String,
    /// What people call who did it.
    pub actor_name: String,
    /// What was done, e.g. `webhook.create`.
    pub action: String,
    /// What it was done to, e.g. `webhook:webhook-0198…`.
    pub resource: Option<String>,
    /// What kind of thing it was done to, also where that is none in particular: `user` of a refused `user.create`.
    pub entity_type: Option<String>,
    /// The identifier of what it was done to; empty where that is none in particular.
    pub entity_id: Option<String>,
    /// What people call what it was done to.
    pub entity_name: Option<String>,
    /// Whether it was done: `SUCCESS`, or the code of the error it was refused with.
    pub outcome: String,
    /// Why it was not done.
    pub reason: Option<String>,
    /// What was so before.
    pub before: Option<Value>,
    /// What is so now.
    pub after: Option<Value>,
    /// What is different now, as a JSON patch (RFC 6902) from `before` to `after`, where what is not there is null. Ahead
    /// of what it replaces or removes stands a `test` of what was there, so it holds old and new value.
    pub patch: Option<Vec<Value>>,
    /// The address it came from.
    pub remote: Option<String>,
    /// The program that it came from, as that names itself.
    pub user_agent: Option<String>,
    /// The request it came in.
    pub request_id: Option<String>,
    /// What else its sender said.
    pub details: Value,
    /// The hash of the record before it.
    pub previous: String,
    /// The hash of this record.
    pub hash: String,
}

impl From<AuditRecord> for AuditInfo {
    fn from(record: AuditRecord) -> Self {
        let AuditRecord {
            audit_id,
            sequence,
            domain_id,
            trail,
            format,
            posted_id,
            entry,
            previous,
            hash,
        } = record;
        let actor = entry.actor.to_string();
        let resource = entry.entity.as_ref().map(ToString::to_string);
        let nothing = Value::Null;
        let patch = (entry.before.is_some() || entry.after.is_some()).then(|| {
            let was = entry.before.as_ref().unwrap_or(&nothing);
            patch::between(was, entry.after.as_ref().unwrap_or(&nothing))
        });
        let (kind, id, name) = match entry.entity {
            Some(Entity { kind, id, name }) => (Some(kind), Some(id), name),
            None => (None, None, None),
        };
        Self {
            audit_id,
            sequence,
            domain_id,
            trail,
            format,
            posted_id,
            occurred_at: entry.occurred_at.into(),
            created_at: entry.received_at.into(),
            actor,
            actor_type: entry.actor.kind,
            actor_id: entry.actor.id,
            actor_name: entry.actor.name,
            action: entry.action,
            resource,
            entity_type: kind,
            entity_id: id,
            entity_name: name,
            outcome: entry.outcome,
            reason: entry.reason,
            before: entry.before,
            after: entry.after,
            patch,
            remote: entry.remote,
            user_agent: entry.user_agent,
            request_id: entry.request_id,
            details: entry.details,
            previous: hex(&previous),
            hash: hex(&hash),
        }
    }
}

/// Asks for audit records.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListAudits {
    /// Only those of this action.
    action: Option<String>,
    /// Only those of this actor, e.g. `token:token-0198…`.
    actor: Option<String>,
    /// Only those of this resource, e.g. `webhook:webhook-0198…`.
    resource: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many at most; 1000 by default and at most.
    limit: Option<u32>,
}

/// Audit records of what was done to and in Alertmill, newest first.
pub fn list(tx: &dyn Tx, call: &Call, request: ListAudits) -> Result<Page<AuditInfo>> {
    let ListAudits { action, actor, resource, cursor, limit } = request;
    let limit = limit.filter(|rows| *rows > 0).unwrap_or(MOST).min(MOST);
    admit(call)?;
    let mut filter = vec![equal("trail", Trail::Own.as_str())];
    filter.extend(action.map(|action| equal("action", &action)));
    if let Some(actor) = actor {
        let actor = Actor::parse(&actor);
        filter.push(equal("actor_type", actor.kind.as_str()));
        filter.push(equal("actor_id", &actor.id));
    }
    if let Some(resource) = resource {
        let entity = Entity::parse(&resource);
        filter.push(equal("entity_type", &entity.kind));
        filter.push(equal("entity_id", &entity.id));
    }
    let mut page = json!({ "limit": limit, "total": "none" });
    if let Some(cursor) = cursor {
        page["cursor"] = cursor.into();
    }
    let asked = json!({ "filter": filter, "page": page });
    let query = Query::parse(&asked, &AUDITS, call.now)?;
    let found = tx.audits(&call.caller.scope, &query)?;
    let results = found.rows.into_iter().map(AuditInfo::from).collect();
    Ok(Page::new(results, found.total, found.next_cursor))
}

/// That the caller reaches whole domains; a record may be of any workspace of its domain.
///
/// # Errors
/// `ERROR_PERMISSION_DENIED` where it does not.
pub fn admit(call: &Call) -> Result<()> {
    let Scope { workspaces, projects, .. } = &call.caller.scope;
    if (workspaces, projects) == (&Reach::All, &Reach::All) {
        return Ok(());
    }
    let detail = "the audit trail is for those who reach a whole domain";
    Err(Error::new(Code::PermissionDenied, detail))
}

fn equal(field: &str, value: &str) -> Value {
    json!({ "k": field, "v": value, "o": "eq" })
}

/// Notes the alerts that a call changed without naming them, since much may follow from one act.
///
/// # Errors
/// Where the store cannot be asked.
pub fn follows(tx: &mut dyn Tx, call: &Call) -> Result<()> {
    let changes = tx.take_changes();
    // What is brought along from elsewhere is told in one record, as many as it may be.
    if call.notes.has("import:") {
        return Ok(());
    }
    for changed in changes {
        if call.notes.has(&format!("alert:{}", changed.0)) {
            continue;
        }
        if let Some((domain, entity, (before, after))) = by_itself::alert(tx, changed)? {
            call.touched_in(&domain, (&entity.kind, &entity.id), (before, after));
        }
    }
    Ok(())
}

/// Records what a call did or why it was refused, in the transaction that did it or undid it: one record for each thing
/// that it touched, and one if it touched nothing.
pub fn record<T>(tx: &mut dyn Tx, call: &Call, action: &str, outcome: &Result<T>) -> Result<()> {
    let (touched, said) = (call.notes.take(), call.notes.take_said());
    match outcome {
        Ok(_) => {
            let done = entry(call, action).saying(Value::Object(said));
            if touched.is_empty() {
                let domain = chain::of_named(tx, call, None)?;
                let done = done.on(Entity::of_action(action));
                return tx.add_audit(&domain, done, &call.mint).map(|_| ());
            }
            touched.into_iter().try_for_each(|touched| add(tx, call, done.clone(), touched))
        }
        Err(error) => {
            // Nothing of it happened; the first thing named is what it was about.
            let about = touched.into_iter().next().or_else(|| call.notes.about());
            refuse(tx, call, about, with_mistakes(entry(call, action), said, error))
        }
    }
}

fn add(tx: &mut dyn Tx, call: &Call, mut base: AuditEntry, touched: Touched) -> Result<()> {
    if let Some((code, detail)) = &touched.refused {
        let refused = base.refused(&Error::new(*code, detail.clone()));
        return refuse(tx, call, Some(touched), refused);
    }
    let entity = Entity::parse(&touched.resource);
    let domain = chain::of_done(tx, call, (&touched, &entity))?;
    let Touched { before, after, along, .. } = touched;
    let views = after.as_ref().or(before.as_ref());
    let name = match views.and_then(named::in_view) {
        Some(name) => Some(name),
        None => name(tx, call, &entity)?,
    };
    if let Value::Object(details) = &mut base.details {
        details.extend(along);
    }
    let (before, after) = bounded(before, after);
    let entry = base.on(entity.called(name)).changed(before, after);
    tx.add_audit(&domain, entry, &call.mint).map(|_| ())
}

/// Records that nothing was done to what a call was about.
fn refuse(tx: &mut dyn Tx, call: &Call, about: Option<Touched>, refused: AuditEntry) -> Result<()> {
    let entity = about.map(|about| Entity::parse(&about.resource));
    let domain = chain::of_named(tx, call, entity.as_ref())?;
    let refused = match entity {
        // So that who asks for what was done to users finds a user that could not be made.
        None => {
            let kind = Entity::of_action(&refused.action);
            refused.on(kind)
        }
        Some(entity) => {
            let name = name(tx, call, &entity)?;
            refused.on(entity.called(name))
        }
    };
    tx.add_audit(&domain, refused, &call.mint).map(|_| ())
}

fn name(tx: &dyn Tx, call: &Call, entity: &Entity) -> Result<Option<String>> {
    let known = named::known(tx, &call.caller.scope, (&entity.kind, &entity.id))?;
    Ok(known.and_then(|known| known.name))
}

/// What was refused, with what the call said and the mistakes in files that it was refused for.
fn with_mistakes(entry: AuditEntry, mut said: Map<String, Value>, error: &Error) -> AuditEntry {
    let files: Vec<String> = error.files.iter().take(FILES).map(LoadError::sentence).collect();
    if !files.is_empty() {
        said.insert("mistakes".to_owned(), files.into());
    }
    entry.refused(error).saying(Value::Object(said))
}

/// What the caller does just now, with all that is known of it.
pub fn entry(call: &Call, action: &str) -> AuditEntry {
    AuditEntry {
        remote: call.remote.clone(),
        user_agent: call.user_agent.clone(),
        request_id: Some(call.request_id.clone()),
        ..AuditEntry::new(call.now, call.actor(), action)
    }
}
