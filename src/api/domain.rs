//! `domain.*`: organisations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown,
    asked::{self, list_request},
    call::seen,
};
use crate::{
    domain::{project::Domain, scope::Scope},
    error::{Code, Error, Result},
    id::Id,
    query::DOMAINS,
    store::Tx,
};

/// One organisation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DomainInfo {
    /// Its identifier.
    pub domain_id: Id<Domain>,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Moment,
}

impl From<Domain> for DomainInfo {
    fn from(domain: Domain) -> Self {
        let Domain { domain_id, name, created_at } = domain;
        Self { domain_id, name, created_at: created_at.into() }
    }
}

/// Asks for a new domain.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDomain {
    /// Its identifier; made up where absent.
    domain_id: Option<Id<Domain>>,
    /// What people call it.
    name: String,
}

/// Makes a domain.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateDomain) -> Result<DomainInfo> {
    let CreateDomain { domain_id, name } = request;
    let domain = Domain {
        domain_id: domain_id.unwrap_or_else(|| call.mint.id(call.now)),
        name: asked::name("name", &name)?,
        created_at: call.now,
    };
    call.touches("domain", &domain.domain_id);
    if tx.domains(&Scope::EVERYTHING)?.iter().any(|other| other.domain_id == domain.domain_id) {
        let detail = format!("there is a domain `{}` already", domain.domain_id);
        return Err(Error::at(Code::NotUnique, "/domain_id", detail));
    }
    tx.put_domain(&domain)?;
    let view = DomainInfo::from(domain);
    call.touched("domain", &view.domain_id, None, seen(&view));
    Ok(view)
}

/// Names one domain.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneDomain {
    /// Its identifier.
    domain_id: Id<Domain>,
}

/// One domain.
pub fn get(tx: &dyn Tx, call: &Call, request: OneDomain) -> Result<DomainInfo> {
    existing(tx, call, &request.domain_id).map(DomainInfo::from)
}

/// The domain, if it exists in the caller's scope.
pub(super) fn existing(tx: &dyn Tx, call: &Call, id: &Id<Domain>) -> Result<Domain> {
    let mut domains = tx.domains(&call.caller.scope)?.into_iter();
    domains.find(|domain| domain.domain_id == *id).ok_or_else(|| Error::not_found("domain", id))
}

list_request! {
    /// Asks for domains.
    ListDomains of DOMAINS {
        /// Only the one with this identifier.
        domain_id: Id<Domain>,
        /// Only those of exactly this name.
        name: String,
    }
}

/// Domains, by identifier where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListDomains) -> Result<Page<Shown<DomainInfo>>> {
    let query = request.checked(call.now)?;
    let views = tx.domains(&call.caller.scope)?.into_iter().map(DomainInfo::from);
    Page::listed(views, &query, &DOMAINS)
}

/// Asks to change a domain.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDomain {
    /// Its identifier.
    domain_id: Id<Domain>,
    /// What people call it.
    name: String,
}

/// Changes a domain.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateDomain) -> Result<DomainInfo> {
    let UpdateDomain { domain_id, name } = request;
    call.touches("domain", &domain_id);
    let before = existing(tx, call, &domain_id)?;
    let after = Domain { name: asked::name("name", &name)?, ..before.clone() };
    tx.put_domain(&after)?;
    let (before, after) = (DomainInfo::from(before), DomainInfo::from(after));
    call.touched("domain", &domain_id, seen(&before), seen(&after));
    Ok(after)
}

/// Deletes a domain with nothing in it.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneDomain) -> Result<Done> {
    call.touches("domain", &request.domain_id);
    let domain = existing(tx, call, &request.domain_id)?;
    tx.delete_domain(&request.domain_id)?;
    call.touched("domain", &request.domain_id, seen(&DomainInfo::from(domain)), None);
    Ok(Done {})
}
