//! Whose chain of the trail a record goes to: that of the domain of what was touched, whoever touched it, so that a tenant
//! sees what was done to it and no other tenant does.
//!
//! What belongs to no tenant, or to several, goes to the chain of the domain `default`, which is the operator's own.

use serde_json::{Map, Value};

use super::{Call, journal::Touched, named};
use crate::{
    domain::{
        audit::Entity,
        project::{DEFAULT_DOMAIN, Domain},
    },
    error::Result,
    id::Id,
    store::Tx,
};

/// The domain of who calls: its only one, else that of the operator.
pub fn of_caller(call: &Call) -> Id<Domain> {
    named::only(&call.caller.scope).unwrap_or_else(|| DEFAULT_DOMAIN.into())
}

/// Whose chain tells of what was done to this.
pub(super) fn of_done(
    tx: &dyn Tx,
    call: &Call,
    (touched, entity): (&Touched, &Entity),
) -> Result<Id<Domain>> {
    if let Some(only) = named::only(&call.caller.scope) {
        return Ok(only);
    }
    if let Some(domain) = &touched.domain {
        return Ok(domain.clone());
    }
    // That there is a domain is the operator's doing; what is in it is its own.
    if entity.kind != "domain" {
        let views = [&touched.before, &touched.after].into_iter().flatten();
        let mut said: Vec<&Value> = views.filter_map(|view| view.get("domain_id")).collect();
        said.dedup();
        match said.as_slice() {
            [] => return of_named(tx, call, Some(entity)),
            [Value::String(domain)] => return Ok(domain.as_str().into()),
            // Who reached another domain before, or all of them, is nobody's alone.
            _ => {}
        }
    }
    Ok(DEFAULT_DOMAIN.into())
}

/// Whose chain tells of a call that did nothing to anything, or was refused: that of the first thing which it named, if
/// that is there for the caller.
pub fn of_named(tx: &dyn Tx, call: &Call, entity: Option<&Entity>) -> Result<Id<Domain>> {
    let scope = &call.caller.scope;
    if let Some(only) = named::only(scope) {
        return Ok(only);
    }
    if entity.is_some_and(|entity| entity.kind == "domain") {
        return Ok(DEFAULT_DOMAIN.into());
    }
    let named = call.notes.named().iter().map(|resource| Entity::parse(resource));
    for Entity { kind, id, .. } in entity.cloned().into_iter().chain(named) {
        let known = named::known(tx, scope, (&kind, &id))?;
        if let Some(domain) = known.and_then(|known| known.domain) {
            return Ok(domain);
        }
    }
    Ok(DEFAULT_DOMAIN.into())
}

/// What a request names: its members that end in `_id`, and what its filter compares with one.
pub fn named_in(asked: &Map<String, Value>) -> Vec<String> {
    let members = asked.iter().map(|(name, value)| (name.as_str(), value));
    let filter = asked.get("query").and_then(|query| query.get("filter")).or(asked.get("filter"));
    let terms = filter.and_then(Value::as_array).into_iter().flatten();
    let compared = terms.filter_map(|term| {
        let operator = term.get("o").or(term.get("operator"))?.as_str()?;
        let key = term.get("k").or(term.get("key"))?.as_str()?;
        (operator == "eq").then_some((key, term.get("v").or(term.get("value"))?))
    });
    let named = members.chain(compared).filter_map(|(name, value)| {
        let (kind, id) = (name.strip_suffix("_id")?, value.as_str()?);
        (!kind.is_empty()).then(|| format!("{kind}:{id}"))
    });
    named.collect()
}
