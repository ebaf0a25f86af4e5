//! What the store keeps of who did what.

use super::{Each, Found, Scan};
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        audit::{AuditEntry, AuditRecord, Trail},
        project::Domain,
        scope::Scope,
    },
    error::Result,
    id::{Id, Mint},
    query::Query,
};

/// What came of posting a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Posting {
    /// It is kept.
    New(Box<AuditRecord>),
    /// Its sender has posted this one under the same name before.
    Known(Box<AuditRecord>),
}

/// How far a chain has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The domain whose chain it is.
    pub domain_id: Id<Domain>,
    /// Which of the domain's chains.
    pub trail: Trail,
    /// The number of its newest record.
    pub sequence: u64,
    /// The hash of its newest record.
    pub hash: Digest,
}

/// The audit trail.
pub trait Audits {
    /// Appends a record to the own trail of a domain.
    fn add_audit(
        &mut self,
        domain: &Id<Domain>,
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<AuditRecord>;
    /// Appends a record that somebody posted to a trail of a domain, unless one of that trail has the name that its
    /// sender gives it.
    fn post_audit(
        &mut self,
        domain: &Id<Domain>,
        named: (Trail, Option<&str>),
        entry: AuditEntry,
        mint: &Mint,
    ) -> Result<Posting>;
    /// The record of a trail with this identifier, or this name of its sender, if a domain in `scope` has it.
    fn audit(&self, scope: &Scope, trail: Trail, id: &str) -> Result<Option<AuditRecord>>;
    /// The records of the domains in `scope` that `query` asks for.
    fn audits(&self, scope: &Scope, query: &Query) -> Result<Found<AuditRecord>>;
    /// Gives `each` of the records of the domains in `scope` that `scan` asks for, until it breaks off.
    fn visit_audits(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()>;
    /// The records of a chain after this number, in their order.
    fn chain(
        &self,
        domain: &Id<Domain>,
        trail: Trail,
        after_and_most: (u64, u32),
    ) -> Result<Vec<AuditRecord>>;
    /// How far the chains of the domains in `scope` have come.
    fn heads(&self, scope: &Scope) -> Result<Vec<Head>>;
    /// Removes the oldest records of a domain that came before `before`, at most so many of each chain; how many.
    fn cut_audits(&mut self, domain: &Id<Domain>, before: Timestamp, most: u32) -> Result<u64>;
}
