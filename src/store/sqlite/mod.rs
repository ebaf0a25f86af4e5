//! The store in one `SQLite` file: one writer thread, any number of readers.

mod sql;

use std::{path::Path, sync::Arc};

use super::{Backend, Options, ReadJob, Snapshots, WriteJob};
use crate::{
    error::{Error, Result},
    metrics::Metrics,
};

/// The `SQLite` backend.
pub(super) struct Sqlite {
    snapshots: Snapshots,
}

impl Sqlite {
    pub(super) fn open(_: &Path, _: &Options, _: Arc<Metrics>) -> Result<Self> {
        Err(Error::unavailable("later", 1))
    }
}

impl Backend for Sqlite {
    fn read(&self, job: ReadJob) {
        job(Err(Error::unavailable("later", 1)));
    }
    fn write(&self, _: WriteJob) -> Result<()> {
        Err(Error::unavailable("later", 1))
    }
    fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }
    fn close(&self) {}
}
