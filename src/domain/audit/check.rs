//! Whether a chain is whole, and which of its records is the first that is not as it was written.
//!
//! Records are taken in their order, each against the one before; in the end what was taken is held against the signed
//! head, since newest records that were removed leave no gap behind them.

use super::{AuditRecord, Head, Link, SealKey};
use crate::{digest::hex, domain::words::words, id::Id};

words! {
    /// What is wrong with a chain.
    Fault {
        /// A record does not say what its hash says.
        Changed = "CHANGED",
        /// A record is missing.
        Missing = "MISSING",
        /// A record does not follow the one before: one of the two was put there, or both were exchanged.
        OutOfPlace = "OUT_OF_PLACE",
        /// A record stands where none was written: behind the newest one, or before what retention kept.
        Inserted = "INSERTED",
        /// How the chain stands was not signed with this key, or was changed since.
        Unproven = "UNPROVEN",
        /// The chain is another one than when its head was taken out.
        Rewritten = "REWRITTEN",
    }
}

/// The first thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// What it is.
    pub fault: Fault,
    /// The number of the record.
    pub sequence: u64,
    /// The record, if it is there.
    pub audit_id: Option<Id<AuditRecord>>,
    /// All of it in a sentence.
    pub detail: String,
}

/// A record as its file holds it.
#[derive(Clone, Debug)]
pub struct Written {
    /// What is read.
    pub record: AuditRecord,
    /// Where it stands in the file: the records of a chain stand there in their order.
    pub place: i64,
    /// Whether all of it is, to the letter, as we would write this record.
    pub is_exact: bool,
}

/// Takes the records of a chain, and finds the first that is not as it was written.
#[derive(Clone, Debug)]
pub struct Checker {
    last: Link,
    /// Where the last record stands in the file, if one was taken already: else the first may stand before what retention
    /// kept.
    place: Option<i64>,
    records: u64,
    broken: Option<Broken>,
}

impl Checker {
    /// Begins where the oldest record that is kept follows.
    pub fn begin(head: &Head) -> Self {
        Self { last: head.start(), place: None, records: 0, broken: None }
    }

    /// The number of the record behind which the next ones are to be read; at first all are, whatever their numbers.
    pub fn from(&self) -> Option<u64> {
        self.place.map(|_| self.last.sequence)
    }

    /// How many records were as they were written.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The first thing that is wrong, so far.
    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// Goes on behind what retention cut meanwhile, if that is further.
    pub fn catch_up(&mut self, head: &Head) {
        if self.place.is_some() && head.start().sequence > self.last.sequence {
            self.last = head.start();
        }
    }

    /// Takes the next record in the order of numbers; what comes behind something wrong is not looked at.
    pub fn take(&mut self, written: &Written) {
        if self.broken.is_some() {
            return;
        }
        let Written { record, place, is_exact } = written;
        let before = self.place.replace(*place);
        let Link { sequence: last, hash } = self.last;
        let found = record.sequence;
        let fault = if found <= last {
            let detail =
                format!("record {found} stands where none was written: before record {}", last + 1);
            Some((Fault::Inserted, found, detail))
        } else if found > last + 1 {
            Some((Fault::Missing, last + 1, missing(last + 1, found - 1)))
        } else if !is_exact || !record.is_as_written() {
            let detail = format!("record {found} does not say what its hash says: it was changed");
            Some((Fault::Changed, found, detail))
        } else if record.previous != hash {
            let detail = format!(
                "record {found} does not follow the one before it: one of the two was put there, or they were exchanged"
            );
            Some((Fault::OutOfPlace, found, detail))
        } else if before.is_some_and(|before| before >= *place) {
            let detail = format!(
                "record {found} does not stand behind the one before it in the file: it was put there"
            );
            Some((Fault::OutOfPlace, found, detail))
        } else {
            None
        };
        if let Some((fault, sequence, detail)) = fault {
            let is_there = sequence == found;
            let audit_id = is_there.then(|| record.audit_id.clone());
            self.broken = Some(Broken { fault, sequence, audit_id, detail });
        } else {
            self.last = Link { sequence: found, hash: record.hash };
            self.records += 1;
        }
    }

    /// What is wrong with the chain, held against how it stood when its last record was taken.
    pub fn end(self, head: &Head, key: Option<&SealKey>) -> Option<Broken> {
        if self.broken.is_some() {
            return self.broken;
        }
        let Link { sequence, hash } = self.last;
        let broken =
            |fault, sequence, detail| Some(Broken { fault, sequence, audit_id: None, detail });
        if key.is_some_and(|key| !key.proves(head)) {
            let detail = "how the chain stands was not signed with this key, or was changed since"
                .to_owned();
            return broken(Fault::Unproven, head.last.sequence, detail);
        }
        if sequence < head.last.sequence {
            let detail = missing(sequence + 1, head.last.sequence);
            return broken(Fault::Missing, sequence + 1, detail);
        }
        if sequence > head.last.sequence {
            let first = head.last.sequence + 1;
            let detail = format!("record {first} stands behind the newest one that was written");
            return broken(Fault::Inserted, first, detail);
        }
        if hash != head.last.hash {
            let detail = format!(
                "record {sequence} has the hash {}, and {} was signed: the chain was written anew",
                hex(&hash),
                hex(&head.last.hash)
            );
            return broken(Fault::Rewritten, sequence, detail);
        }
        if let Some(first) = head.doubted_from {
            let detail = format!(
                "when record {first} was added, how the chain stood had been changed: newer records than the one before it \
                 may be gone"
            );
            return broken(Fault::Unproven, first, detail);
        }
        None
    }
}

pub(super) fn missing(first: u64, last: u64) -> String {
    if first == last {
        return format!("record {first} is missing");
    }
    format!("records {first} to {last} are missing")
}
