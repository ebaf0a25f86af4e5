//! The audit trail verified, a part at a time, so that no snapshot is held while a million records are read.

use super::Tx;
use crate::{
    domain::{
        audit::{Broken, Checker, Comparison, Exported, Head, SealKey},
        scope::{Reach, Scope},
    },
    error::Result,
};

/// How many records are read at once.
const PART: u32 = 2000;

/// A chain that was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// How it stands.
    pub head: Head,
    /// How many of its records are as they were written.
    pub records: u64,
    /// The first thing that is wrong, if anything is.
    pub broken: Option<Broken>,
    /// The first thing that speaks against it by the heads that were given alone.
    pub against: Option<Broken>,
}

impl Verified {
    /// The first thing that is wrong, in a sentence that says where.
    pub fn what_is_wrong(&self) -> Option<String> {
        let Head { domain_id, trail, .. } = &self.head;
        let broken = self.broken.as_ref()?;
        Some(format!("trail {trail} of domain {domain_id}: {}", broken.detail))
    }
}

/// The trail as far as it is verified.
#[derive(Clone, Debug)]
pub struct Verification {
    scope: Scope,
    key: Option<SealKey>,
    exported: Vec<Exported>,
    current: Option<(Checker, Comparison)>,
    /// The chains that were read to their ends.
    pub chains: Vec<Verified>,
    /// What is wrong with the trail as a whole.
    pub wrong: Vec<String>,
    /// What speaks against it by the heads that were given alone.
    pub against: Vec<String>,
    /// How many of the heads that were given were compared.
    pub compared: usize,
}

impl Verification {
    /// Begins with the chains in `scope`: what signed them, if it is known, and heads that were taken out of the store.
    pub fn new(scope: Scope, key: Option<SealKey>, exported: Vec<Exported>) -> Self {
        Self {
            scope,
            key,
            exported,
            current: None,
            chains: Vec::new(),
            wrong: Vec::new(),
            against: Vec::new(),
            compared: 0,
        }
    }

    /// Whether everything that was read is as it was written.
    pub fn is_whole(&self) -> bool {
        self.is_whole_by_itself()
            && self.against.is_empty()
            && self.chains.iter().all(|chain| chain.against.is_none())
    }

    /// The same, whatever the heads say that were given: anybody may give any.
    pub fn is_whole_by_itself(&self) -> bool {
        self.wrong.is_empty() && self.chains.iter().all(|chain| chain.broken.is_none())
    }

    /// Reads the next part; whether there is more.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn go_on(&mut self, tx: &dyn Tx) -> Result<bool> {
        let heads = tx.heads(&self.scope)?;
        // Chains are only ever added, behind the others.
        let Some(head) = heads.get(self.chains.len()) else {
            self.end(tx, &heads)?;
            return Ok(false);
        };
        let begin = || (Checker::begin(head), Comparison::begin(head, &self.exported));
        let (mut checker, mut comparison) = self.current.take().unwrap_or_else(begin);
        checker.catch_up(head);
        let records = tx.written(head, checker.from(), PART)?;
        for written in &records {
            checker.take(written);
            comparison.take(&written.record);
        }
        if records.len() == PART as usize && checker.broken().is_none() {
            self.current = Some((checker, comparison));
            return Ok(true);
        }
        let records = checker.records();
        let broken = checker.end(head, self.key.as_ref());
        let against = comparison.end(head);
        self.compared += self.exported.iter().filter(|it| it.is_of(head)).count();
        self.chains.push(Verified { head: head.clone(), records, broken, against });
        Ok(true)
    }

    /// What no single chain tells.
    fn end(&mut self, tx: &dyn Tx, heads: &[Head]) -> Result<()> {
        let is_lost = |it: &&Exported| !heads.iter().any(|head| it.is_of(head));
        for Exported { domain_id, trail, link } in self.exported.iter().filter(is_lost) {
            self.against.push(if self.scope.domains.contains(domain_id) {
                let records = link.sequence;
                format!("the chain {trail} of domain {domain_id} is gone: it had {records} records when its head was taken out")
            } else {
                format!("the head of {trail} of domain {domain_id} was not compared: you reach no such chain")
            });
        }
        if self.scope.domains != Reach::All {
            return Ok(());
        }
        let (chains, signature) = tx.audit_register()?;
        if self.key.as_ref().is_some_and(|key| !key.proves_count(chains, &signature)) {
            let wrong =
                "how many chains there are was not signed with this key, or was changed since";
            self.wrong.push(wrong.to_owned());
        }
        let is_there = |number: &u64| heads.iter().any(|head| head.chain == *number);
        let most = heads.iter().map(|head| head.chain).chain([chains]).max().unwrap_or(0);
        // As many as a person wants to read; a changed number may be as large as it likes.
        let gone = (1..=most).filter(|number| !is_there(number)).take(20);
        self.wrong.extend(gone.map(|number| format!("chain {number} of the trail is gone")));
        let stray = tx.stray_audits()?;
        if stray > 0 {
            self.wrong.push(format!("{stray} records belong to no chain"));
        }
        Ok(())
    }
}
