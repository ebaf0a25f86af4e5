//! Opening the file: how a connection is set up, and how an older file is brought up to date.

use std::{
    cmp,
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, config::DbConfig,
};

use super::{audits, checkpoint::RESTART, sql};
use crate::{
    domain::audit::SealKey,
    error::{Code, Error, Result},
    store::Durability,
};

/// The schema, one step per file; a file that was ever released is never changed.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_foundation.sql"),
    include_str!("migrations/0002_tallies.sql"),
    include_str!("migrations/0003_seeking.sql"),
    include_str!("migrations/0004_upkeep.sql"),
    include_str!("migrations/0005_indexed_fields.sql"),
    include_str!("migrations/0006_care.sql"),
    include_str!("migrations/0007_event_rules.sql"),
    include_str!("migrations/0008_suppression.sql"),
    include_str!("migrations/0009_escalation.sql"),
    include_str!("migrations/0010_outbox.sql"),
    include_str!("migrations/0011_notes.sql"),
    include_str!("migrations/0012_heartbeats.sql"),
    include_str!("migrations/0013_trail.sql"),
    include_str!("migrations/0014_users.sql"),
    include_str!("migrations/0015_feed.sql"),
];

/// How long a statement waits for another process that holds the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

impl From<rusqlite::Error> for Error {
    fn from(cause: rusqlite::Error) -> Self {
        let code = cause.sqlite_error_code();
        match code {
            Some(ErrorCode::DiskFull) => Self::unavailable("the disk is full", 30).because(cause),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                Self::unavailable("the store is locked by another process", 5).because(cause)
            }
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly) => {
                Self::unavailable("the store's file cannot be used at the moment", 30)
                    .because(cause)
            }
            Some(ErrorCode::OperationInterrupted) => {
                Self::new(Code::Deadline, "the query took too long").because(cause)
            }
            _ => Self::internal(cause),
        }
    }
}

/// The connection that writes.
pub(super) fn writer(file: &Path, durability: Durability) -> Result<Connection> {
    make_private(file)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(file, flags)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = {synchronous};
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = {RESTART};
             PRAGMA foreign_keys = OFF;
             PRAGMA cache_size = -16384;
             PRAGMA temp_store = MEMORY;"
        ))
        .map_err(|cause| unusable(file, cause))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Makes the file for its owner alone, if it does not exist; `SQLite` gives its log the same mode.
///
/// One that exists is never opened: when any descriptor of a file is closed, a process loses all its locks on it, also those
/// of its connections. Whoever opened the store next would take itself for the only one, and remove the log in the end while
/// we write to it.
fn make_private(file: &Path) -> Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => {
            let what = format!("{} cannot be opened for writing ({cause})", file.display());
            Err(Error::unavailable(what, 30).because(cause))
        }
    }
}

/// The connections of a store in memory: the one that writes, and one that reads what that committed. The store is gone
/// with the last of them.
pub(super) fn in_memory() -> Result<(Connection, Connection)> {
    static BORN: AtomicU64 = AtomicU64::new(0);
    let number = BORN.fetch_add(1, Ordering::Relaxed);
    // By this name the two find each other, and nobody else.
    let file = format!("file:/alertmill-{number}?vfs=memdb");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let (writer, reader) = (open(Path::new(&file), flags)?, open(Path::new(&file), flags)?);
    writer.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;")?;
    writer.set_prepared_statement_cache_capacity(128);
    reader.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")?;
    reader.set_prepared_statement_cache_capacity(64);
    Ok((writer, reader))
}

/// A connection that reads.
pub(super) fn reader(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(file, flags)?;
    connection.execute_batch(
        // What is sorted may be larger than memory: small sorts stay there, large ones go to files.
        "PRAGMA query_only = ON; PRAGMA cache_size = -4096; PRAGMA temp_store = FILE;",
    )?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(super) fn open(file: &Path, flags: OpenFlags) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(file, flags).map_err(|cause| unusable(file, cause))?;
    connection.busy_timeout(BUSY)?;
    // Else a plan may depend on the values bound to it, and is made anew whenever they change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    sql::register(&connection)?;
    Ok(connection)
}

/// What a person who starts the server is told of a file that cannot be used.
fn unusable(file: &Path, cause: rusqlite::Error) -> Error {
    let what = match cause.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "is not an Alertmill store",
        Some(ErrorCode::DatabaseCorrupt) => "is damaged; restore it from a backup",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "is in use by another process",
        Some(ErrorCode::CannotOpen) => {
            "cannot be opened; does its directory exist, and may we write there?"
        }
        Some(ErrorCode::DiskFull) => "cannot grow: the disk is full",
        _ => "cannot be used",
    };
    Error::unavailable(format!("{} {what} ({cause})", file.display()), 30).because(cause)
}

/// How the schema of a file stands to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Schema {
    /// It is ours.
    Ours,
    /// It can be brought up to date.
    Older,
}

/// How a file's schema stands to ours; an error where it is no store, or a newer one.
pub(super) fn known(connection: &Connection) -> Result<Schema> {
    let file = || Path::new(connection.path().unwrap_or_default()).to_owned();
    let version: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|cause| unusable(&file(), cause))?;
    let version = version as usize;
    if version == 0 {
        return Err(Error::unavailable(
            format!("{} is not an Alertmill store", file().display()),
            30,
        ));
    }
    match version.cmp(&MIGRATIONS.len()) {
        cmp::Ordering::Less => Ok(Schema::Older),
        cmp::Ordering::Equal => Ok(Schema::Ours),
        cmp::Ordering::Greater => Err(newer(version)),
    }
}

fn newer(version: usize) -> Error {
    let detail = format!(
        "the store has schema {version}, this Alertmill knows up to {}: it was written by a newer one; use that",
        MIGRATIONS.len()
    );
    Error::unavailable(detail, 30)
}

/// The schema since which the chains of the audit trail are signed.
const SIGNED_SINCE: usize = 13;

/// Brings the schema up to date, all of it or none. The chains of the audit trail of a store from before they were signed are
/// signed with `seal` if that was made just now, as it is on the first start of a program that signs; else they stay unproven.
pub(super) fn migrate(connection: &Connection, seal: &SealKey) -> Result<()> {
    let version: u32 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|cause| unusable(Path::new(connection.path().unwrap_or_default()), cause))?;
    let version = version as usize;
    if version > MIGRATIONS.len() {
        return Err(newer(version));
    }
    if version == MIGRATIONS.len() {
        return Ok(());
    }
    let step = Transaction::new_unchecked(connection, TransactionBehavior::Exclusive)?;
    for sql in &MIGRATIONS[version..] {
        step.execute_batch(sql)?;
    }
    step.pragma_update(
        None,
        "user_version",
        u32::try_from(MIGRATIONS.len()).map_err(Error::internal)?,
    )?;
    // Whoever can write the file could make an older one of it, with another trail, and have us sign that.
    if version < SIGNED_SINCE && (version == 0 || seal.is_fresh()) {
        audits::sign_chains(&step, seal)?;
    }
    step.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.db");
        let connection = writer(&file, Durability::Full).unwrap();
        migrate(&connection, &SealKey::default()).unwrap();
        migrate(&connection, &SealKey::default()).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&connection, &SealKey::default()).unwrap_err();
        assert!(refused.detail.contains("written by a newer one"), "{refused}");
    }

    #[test]
    fn a_file_that_is_no_store_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.db");
        std::fs::write(&file, "no database at all, but long enough to look like one").unwrap();
        let refused = writer(&file, Durability::Full)
            .and_then(|it| migrate(&it, &SealKey::default()))
            .unwrap_err();
        assert!(refused.detail.contains("a.db is not an Alertmill store"), "{refused}");
    }
}
