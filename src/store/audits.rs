//! What the store keeps of who did what.

use super::{Each, EachPlaced, Found, Scan, Stretch};
use crate::{
    clock::Timestamp,
    digest::Digest,
    domain::{
        audit::{AuditEntry, AuditRecord, Head, Trail, Written},
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

/// What was accepted of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The chains, as they stood before.
    pub chains: Vec<Head>,
    /// Whether how many chains there are was not proven.
    pub count: bool,
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
    /// The records of the domains in `scope` that `query` asks for, in the order in which they occurred, the last first,
    /// unless it asks for another. A field that names somebody or something is found by an index, and so is a text in
    /// `details` under `source`, `severity`, `classification` or `visibility`, each for one value or one of a few; what else is asked for is checked record by record, from the last one on.
    fn audits(&self, scope: &Scope, query: &Query) -> Result<Found<AuditRecord>>;
    /// Gives `each` of the records of the domains in `scope` that `scan` asks for, in the order in which they occurred unless
    /// it asks for another, until it breaks off.
    fn visit_audits(&self, scope: &Scope, scan: &Scan<'_>, each: &mut Each<'_>) -> Result<()>;
    /// Gives `each` of the records of the domains in `scope` that `stretch` means, in the order in which they occurred,
    /// until it breaks off.
    fn audit_stretch(
        &self,
        scope: &Scope,
        stretch: &Stretch<'_>,
        each: &mut EachPlaced<'_>,
    ) -> Result<()>;
    /// The records of a chain after this number, in their order.
    fn chain(
        &self,
        domain: &Id<Domain>,
        trail: Trail,
        after_and_most: (u64, u32),
    ) -> Result<Vec<AuditRecord>>;
    /// The records of a chain behind this number, or all, in their order, as the file holds them.
    fn written(&self, head: &Head, after: Option<u64>, most: u32) -> Result<Vec<Written>>;
    /// How the chains of the domains in `scope` stand, in the order in which they began.
    fn heads(&self, scope: &Scope) -> Result<Vec<Head>>;
    /// How many chains there are, and the signature of that.
    fn audit_register(&self) -> Result<(u64, Digest)>;
    /// How many records belong to no chain.
    fn stray_audits(&self) -> Result<u64>;
    /// Removes the oldest records of a domain's chains that arrived before `before`, at most so many; how many. The newest
    /// of each chain stays, and how the chain stands says where it was cut. A chain that is not as it was signed is left
    /// alone, and so is one whose oldest records are not as they were written: what is wrong must stay where it can be seen.
    fn cut_audits(&mut self, domain: &Id<Domain>, before: Timestamp, most: u32) -> Result<u64>;
    /// Signs anew how the chains stand that were not proven, or were doubted since, and how many chains there are: from then on
    /// they are as good as the others. What their records say is not looked at.
    fn accept_audits(&mut self) -> Result<Accepted>;
}
