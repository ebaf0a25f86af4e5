//! The file as a whole: copied, examined, made small again.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use super::{
    connect::{self, Schema},
    work::Work,
};
use crate::{
    domain::{
        audit::{Fault, Head, SealKey},
        scope::Scope,
    },
    error::{Code, Error, Result},
    store::{
        Audits, Durability, Verification, Verified,
        files::{Care, Check, Contents, Remedy},
    },
};

/// How many mistakes of one kind are told.
const TOLD: usize = 20;

/// The tables whose rows are counted to tell whether a copy is whole.
const TABLES: [(&str, &str); 9] = [
    ("domain", "SELECT count(*) FROM domain"),
    ("workspace", "SELECT count(*) FROM workspace"),
    ("project", "SELECT count(*) FROM project"),
    ("webhook", "SELECT count(*) FROM webhook"),
    ("token", "SELECT count(*) FROM token"),
    ("delivery", "SELECT count(*) FROM delivery"),
    ("event", "SELECT count(*) FROM event"),
    ("alert", "SELECT count(*) FROM alert"),
    ("audit", "SELECT count(*) FROM audit"),
];

/// What must be nowhere, and what each row of it says.
const MUST_NOT_BE: [(&str, &str); 3] = [
    (
        "one open alert a key",
        "SELECT 'project ' || project || ' has ' || count(*) || ' open alerts of key ' || event_key FROM alert
         WHERE state <> 'RESOLVED' AND deleted_at IS NULL GROUP BY project, event_key HAVING count(*) > 1",
    ),
    (
        "numbers of alerts",
        "SELECT 'workspace ' || w.workspace_id || ' says that ' || w.last_alert_number || ' is its last alert, and has '
                || max(a.alert_number)
         FROM alert a JOIN workspace w ON w.workspace = a.workspace GROUP BY a.workspace
         HAVING max(a.alert_number) > w.last_alert_number",
    ),
    (
        "how alerts stand",
        "SELECT 'alert ' || a.alert_id || ' does not say how it stands' FROM alert a
         WHERE NOT EXISTS (SELECT 1 FROM standing t WHERE t.alert = a.alert)",
    ),
];

/// A connection that reads one store and may write another.
fn apart(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect::open(file, flags)?;
    connect::known(&connection)?;
    Ok(connection)
}

pub(in crate::store) fn copy(file: &Path, target: &Path) -> Result<Contents> {
    let source = apart(file)?;
    // Made first: it must not be there yet, and nobody else may read it. `VACUUM INTO` takes an empty file.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target);
    made.map_err(|cause| unwritable(target, cause))?;
    let whole = copied(&source, target);
    if whole.is_err() {
        let _ = fs::remove_file(target);
    }
    whole
}

fn copied(source: &Connection, target: &Path) -> Result<Contents> {
    let named = target
        .to_str()
        .ok_or_else(|| Error::new(Code::InvalidParameter, "the name of the copy is not UTF-8"))?;
    // One statement reads one moment of the store, whatever is written meanwhile.
    source.execute("VACUUM INTO ?1", [named])?;
    fs::File::open(target)
        .and_then(|copy| copy.sync_all())
        .map_err(|cause| unwritable(target, cause))?;
    let copy = Connection::open_with_flags(target, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    super::sql::register(&copy)?;
    let wrong = pages(&copy, Care::Thorough)?;
    if let Some(first) = wrong.first() {
        return Err(Error::unavailable(format!("the copy is not whole: {first}"), 30));
    }
    contents(&copy, target)
}

fn contents(copy: &Connection, file: &Path) -> Result<Contents> {
    let rows = TABLES.iter().map(|(name, sql)| {
        let count: i64 = copy.query_row(sql, [], |row| row.get(0))?;
        Ok(((*name).to_owned(), count.unsigned_abs()))
    });
    let rows = rows.collect::<Result<Vec<_>>>()?;
    let bytes = fs::metadata(file).map_or(0, |file| file.len());
    Ok(Contents { rows, bytes })
}

fn unwritable(target: &Path, cause: std::io::Error) -> Error {
    let detail = format!("`{}` cannot be written: {cause}", target.display());
    Error::new(Code::InvalidParameter, detail).because(cause)
}

/// What is wrong with the pages, and thoroughly also with the indexes.
fn pages(connection: &Connection, care: Care) -> Result<Vec<String>> {
    let sql = match care {
        Care::Quick => "PRAGMA quick_check(20)",
        Care::Thorough => "PRAGMA integrity_check(20)",
    };
    let said = listed(connection, sql)?;
    Ok(if said == ["ok"] { Vec::new() } else { said })
}

/// The first column of a query's first rows.
fn listed(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if found.len() == TOLD {
            found.push("and more".to_owned());
            break;
        }
        found.push(row.get(0)?);
    }
    Ok(found)
}

/// What reads a store that a server may be writing to.
fn beside(file: &Path) -> Result<Work> {
    let connection = connect::reader(file)?;
    if connect::known(&connection)? == Schema::Older {
        let detail = "the store was written by an older Alertmill; start the server once, which brings it up to date";
        return Err(Error::new(Code::InvalidParameter, detail));
    }
    Ok(Work::reader(connection))
}

pub(in crate::store) fn heads(file: &Path) -> Result<Vec<Head>> {
    beside(file)?.heads(&Scope::EVERYTHING)
}

pub(in crate::store) fn verify_trail(file: &Path, verification: &mut Verification) -> Result<()> {
    let work = beside(file)?;
    loop {
        // Each part in a snapshot of its own, as a server that runs reads them.
        work.command("BEGIN")?;
        let more = verification.go_on(&work)?;
        work.command("COMMIT")?;
        if !more {
            return Ok(());
        }
    }
}

/// What is wrong with the audit trail.
fn trail(work: &Work, seal: Option<&SealKey>) -> Result<Check> {
    let read = |seal: Option<&SealKey>| -> Result<Verification> {
        let mut verification = Verification::new(Scope::EVERYTHING, seal.cloned(), Vec::new());
        while verification.go_on(work)? {}
        Ok(verification)
    };
    let verification = read(seal)?;
    let is_key_alone = !verification.is_whole() && {
        let Verification { chains, wrong, .. } = read(None)?;
        let mut faults = chains.iter().filter_map(|chain| Some(chain.broken.as_ref()?.fault));
        wrong.is_empty() && faults.all(|fault| fault == Fault::Unproven)
    };
    let mut wrong: Vec<String> =
        verification.chains.iter().filter_map(Verified::what_is_wrong).collect();
    wrong.extend(verification.wrong);
    let remedy = if is_key_alone { Remedy::Key } else { Remedy::Backup };
    Ok(Check { remedy, ..Check::new("the chains of the audit trail", wrong) })
}

pub(in crate::store) fn verify(
    file: &Path,
    care: Care,
    seal: Option<&SealKey>,
) -> Result<Vec<Check>> {
    let work = beside(file)?;
    // One moment of the store for all that follows.
    work.command("BEGIN")?;
    let connection = &work.connection;
    let mut checks = vec![Check::new("pages and rows", pages(connection, care)?)];
    let dangling = "SELECT 'row ' || coalesce(rowid, '?') || ' of ' || \"table\" || ' refers to a missing row of ' || parent
                    FROM pragma_foreign_key_check";
    checks.push(Check::new("references", listed(connection, dangling)?));
    for (name, sql) in MUST_NOT_BE {
        checks.push(Check::new(name, listed(connection, sql)?));
    }
    checks.push(trail(&work, seal)?);
    if seal.is_none() {
        let wrong =
            "there is no `audit.key`, so nothing tells whether newest records are gone".to_owned();
        let check = Check::new("how the chains of the audit trail end", vec![wrong]);
        checks.push(Check { remedy: Remedy::Key, ..check });
    }
    checks.push(Check::new("tallies", work.verify_tallies()?));
    work.command("COMMIT")?;
    Ok(checks)
}

pub(in crate::store) fn is_current(file: &Path) -> Result<bool> {
    let connection = connect::reader(file)?;
    Ok(connect::known(&connection)? != Schema::Older)
}

pub(in crate::store) fn fold(file: &Path) -> Result<()> {
    let connection = connect::writer(file, Durability::Full)?;
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy != 0 {
        return Err(Error::unavailable(format!("{} is in use", file.display()), 5));
    }
    Ok(())
}
