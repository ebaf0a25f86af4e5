//! What a call touched, noted while it goes on, for the audit trail.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Map, Value};

use crate::{
    domain::project::Domain,
    error::{Code, Error},
    id::Id,
};

/// How many of the things that a request names are looked at.
const NAMED: usize = 20;

/// What a call touched. Copies write into the same journal.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    touched: Arc<Mutex<Vec<Touched>>>,
    said: Arc<Mutex<Map<String, Value>>>,
    about: Arc<OnceLock<String>>,
    named: Arc<OnceLock<Vec<String>>>,
}

/// One thing that a call touched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touched {
    /// What it is, e.g. `webhook:webhook-0198…`.
    pub resource: String,
    /// Whose it is, where its views do not say.
    pub domain: Option<Id<Domain>>,
    /// What was so before; `None` where it was not there.
    pub before: Option<Value>,
    /// What is so now; `None` where it is gone.
    pub after: Option<Value>,
    /// What went along with it.
    pub along: Map<String, Value>,
    /// Why nothing was done to it, where the rest of the call was done.
    pub refused: Option<(Code, String)>,
}

impl Touched {
    /// Something that is about to be touched.
    pub fn named(resource: String) -> Self {
        Self { resource, ..Self::default() }
    }
}

impl Journal {
    /// Notes what the request is about, e.g. `webhook:webhook-0198…`, and all that it names: a refusal is about that where
    /// nothing else was noted, and belongs where that is.
    pub fn names(&self, about: Option<String>, mut named: Vec<String>) {
        // The first word stands: a request names one thing.
        if let Some(about) = about {
            let _ = self.about.set(about);
        }
        named.truncate(NAMED);
        let _ = self.named.set(named);
    }

    /// What the request is about.
    pub fn about(&self) -> Option<Touched> {
        self.about.get().cloned().map(Touched::named)
    }

    /// All that the request names.
    pub fn named(&self) -> &[String] {
        self.named.get().map_or(&[], Vec::as_slice)
    }

    /// Notes what else there is to say of the call as a whole.
    pub fn says(&self, what: &str, value: impl Into<Value>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.insert(what.to_owned(), value.into());
    }

    /// What else there is to say of the call as a whole; nothing after.
    pub fn take_said(&self) -> Map<String, Value> {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that something is about to be touched. What was noted of it stands.
    pub fn touches(&self, resource: String) {
        let mut touched = self.touched();
        if !touched.iter().any(|noted| noted.is_done_to(&resource)) {
            touched.push(Touched::named(resource));
        }
    }

    /// Notes what was done to something: what was so before it was touched first stands, and what is so now counts.
    pub fn note(&self, done: Touched) {
        let mut touched = self.touched();
        let is_the_same = |noted: &&mut Touched| {
            noted.is_done_to(&done.resource)
                && (noted.domain.is_none() || done.domain.is_none() || noted.domain == done.domain)
        };
        match touched.iter_mut().find(is_the_same) {
            Some(noted) => noted.goes_on(done),
            None => touched.push(done),
        }
    }

    /// Notes something that went along with what was touched.
    pub fn along(&self, resource: &str, what: &str, value: Value) {
        let mut touched = self.touched();
        if let Some(noted) = touched.iter_mut().find(|noted| noted.is_done_to(resource)) {
            noted.along.insert(what.to_owned(), value);
        }
    }

    /// Whether something was noted whose name begins like this.
    pub fn has(&self, beginning: &str) -> bool {
        self.touched().iter().any(|noted| noted.resource.starts_with(beginning))
    }

    /// All that was noted; the journal is empty after.
    pub fn take(&self) -> Vec<Touched> {
        std::mem::take(&mut *self.touched())
    }

    /// Runs a part of a call that is undone by itself where it fails: what it noted is undone with it, and what it was
    /// about is noted as refused, so that the trail never says of what was undone that it was done.
    ///
    /// # Errors
    /// That of the part.
    pub fn part<T>(
        &self,
        about: impl FnOnce() -> String,
        part: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let before = self.take();
        let done = part();
        let noted = std::mem::replace(&mut *self.touched(), before);
        match &done {
            Ok(_) => noted.into_iter().for_each(|touched| self.note(touched)),
            Err(error) => self.touched().push(Touched {
                refused: Some((error.code, error.detail.clone())),
                ..Touched::named(about())
            }),
        }
        done
    }

    fn touched(&self) -> MutexGuard<'_, Vec<Touched>> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Touched {
    fn is_done_to(&self, resource: &str) -> bool {
        self.refused.is_none() && self.resource == resource
    }

    fn goes_on(&mut self, done: Self) {
        let Self { resource: _, domain, before, after, along, refused: _ } = done;
        self.before = self.before.take().or(before);
        self.domain = self.domain.take().or(domain);
        self.after = after;
        self.along.extend(along);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(resource: &str, before: Option<Value>, after: Option<Value>) -> Touched {
        Touched { before, after, ..Touched::named(resource.to_owned()) }
    }

    #[test]
    fn what_is_touched_again_keeps_what_was_done_to_it() {
        let journal = Journal::default();
        journal.touches("alert:1".to_owned());
        journal.note(done("alert:1", Some(json!(1)), Some(json!(2))));
        journal.touches("alert:1".to_owned());
        journal.note(done("alert:1", Some(json!(2)), Some(json!(3))));
        journal.touches("alert:1".to_owned());
        assert_eq!(journal.take(), [done("alert:1", Some(json!(1)), Some(json!(3)))]);
    }

    #[test]
    fn what_a_part_noted_is_undone_with_it() {
        let journal = Journal::default();
        let about = || "alert:1".to_owned();
        let first = journal.part(about, || {
            journal.note(done("alert:1", Some(json!(1)), Some(json!(2))));
            Ok(())
        });
        let second: Result<(), Error> = journal.part(about, || {
            journal.note(done("alert:1", Some(json!(2)), None));
            journal.note(done("note:1", Some(json!(1)), None));
            Err(Error::new(Code::NotFound, "gone"))
        });
        assert!(first.is_ok() && second.is_err());
        let refused = Some((Code::NotFound, "gone".to_owned()));
        let undone = Touched { refused, ..Touched::named(about()) };
        assert_eq!(journal.take(), [done("alert:1", Some(json!(1)), Some(json!(2))), undone]);
    }
}
