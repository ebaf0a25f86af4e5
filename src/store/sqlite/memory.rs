//! The store in memory, for the sandbox: the same schema and the same statements as in a file, gone when it is dropped.
//!
//! There are no threads: each read and each write is done where it is asked for, one at a time, so that what follows
//! from a timeline is the same each time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{connect, publish, work::Work};
use crate::{
    domain::audit::SealKey,
    error::Result,
    metrics::Metrics,
    store::{
        Backend, ReadJob, Snapshots,
        limit::{Turns, Watch},
        unit::WriteJob,
    },
};

/// A store in memory.
pub(in crate::store) struct Memory {
    works: Mutex<Works>,
    snapshots: Arc<Snapshots>,
    metrics: Arc<Metrics>,
    turns: Arc<Turns>,
}

/// The connections: one that writes, and one that reads.
struct Works {
    writer: Work,
    reader: Work,
}

impl Memory {
    pub(in crate::store) fn open(metrics: Arc<Metrics>) -> Result<Self> {
        let (writer, reader) = connect::in_memory()?;
        let seal = SealKey::default();
        connect::migrate(&writer, &seal)?;
        let writer = Work::writer(writer, seal)?;
        writer.find_all()?;
        let snapshots = Arc::new(publish::load(&writer)?);
        let works = Mutex::new(Works { writer, reader: Work::reader(reader) });
        Ok(Self { works, snapshots, metrics, turns: Arc::default() })
    }

    fn works(&self) -> MutexGuard<'_, Works> {
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for Memory {
    fn read(&self, job: ReadJob, watch: Arc<Watch>) {
        let reader = &mut self.works().reader;
        let begun = reader.watch(Some(&watch), &self.turns).and_then(|()| reader.command("BEGIN"));
        match begun {
            Ok(()) => {
                job(Ok(reader));
                let ended = reader.watch(None, &self.turns).and_then(|()| reader.command("COMMIT"));
                if let Err(error) = ended {
                    tracing::error!(%error, cause = ?error.cause, "a read did not end");
                }
            }
            Err(error) => job(Err(error)),
        }
    }

    fn write(&self, job: WriteJob) -> Result<()> {
        self.works().writer.settle(vec![job.unit], &self.snapshots, &self.metrics);
        Ok(())
    }

    fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::from_millis,
        domain::{project::Domain, scope::Scope},
        error::{Code, Error},
        store::{Size, Store},
    };

    fn domain(id: &str) -> Domain {
        Domain { domain_id: id.into(), name: id.to_owned(), created_at: from_millis(0) }
    }

    async fn domains(store: &Store) -> Vec<String> {
        let found = store.read(|tx| tx.domains(&Scope::EVERYTHING)).await.unwrap();
        found.into_iter().map(|domain| domain.name).collect()
    }

    #[actix_web::test]
    async fn what_is_written_is_read_and_what_fails_is_undone() {
        let store = Store::in_memory(Arc::default()).unwrap();
        store.write(|tx| tx.put_domain(&domain("a"))).await.unwrap();
        let failed: Result<()> = store
            .write(|tx| {
                tx.put_domain(&domain("b"))?;
                Err(Error::new(Code::InvalidParameter, "no"))
            })
            .await;
        assert!(failed.is_err());
        store.write_repeatable(Size::default(), |tx| tx.put_domain(&domain("c"))).await.unwrap();
        assert_eq!(domains(&store).await, ["a", "c"]);
    }

    #[actix_web::test]
    async fn two_stores_in_memory_know_nothing_of_each_other() {
        let (one, other) =
            (Store::in_memory(Arc::default()).unwrap(), Store::in_memory(Arc::default()).unwrap());
        one.write(|tx| tx.put_domain(&domain("a"))).await.unwrap();
        assert!(domains(&other).await.is_empty());
        drop(one);
        assert!(domains(&Store::in_memory(Arc::default()).unwrap()).await.is_empty());
    }
}
