//! `alertmill admin`: backups, and whether the store is well.
//!
//! These commands work on the files of a data directory, in the process and with the permissions of whoever types them. So
//! no path ever comes in over the network, and a copy is the caller's own file from the beginning. A running server is
//! read from beside it, as by one more reader.

mod noted;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::noted::Health;
use super::{
    Failure,
    show::{Screen, field},
};
use crate::{
    api::audits::shown,
    app::{existing_key, lock, make_directory, seal_file, store_file},
    clock::{Clock, rfc3339},
    config::Reach,
    domain::audit::SealKey,
    error::Error,
    store::files::{self, Care, Check, Contents, Remedy},
};

/// Back the store up, put it back, examine it.
#[derive(Args)]
pub(super) struct Admin {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Write a copy of the store as of this moment to FILE, and examine the copy. The server may run meanwhile.
    Backup {
        /// The new file; one that exists is left alone.
        file: PathBuf,
    },
    /// Put a backup into a data directory whose server does not run.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Also where there is a store; it is kept beside the new one.
        #[arg(long)]
        force: bool,
    },
    /// Examine the store. The server may run meanwhile. Exit code 1 where something is wrong.
    Verify {
        /// Compare each index with its table as well, which takes longer.
        #[arg(long)]
        thorough: bool,
    },
    /// Give the space of what was removed back to the system. The server must not run.
    Vacuum,
}

impl Admin {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        if self.reach.url.is_some() {
            let detail = "These commands work on the files of a data directory: run them where it is, with `--data`.";
            return Err(Failure::usage(detail));
        }
        let screen = Screen::new(self.reach.json);
        let data = self.reach.data;
        let (kept, verb) = (data.clone(), self.verb);
        let action = match &verb {
            Verb::Backup { .. } => "backup",
            Verb::Restore { .. } => "restore",
            Verb::Verify { .. } => "verify",
            Verb::Vacuum => "vacuum",
        };
        let done = tokio::task::spawn_blocking(move || match verb {
            Verb::Backup { file } => backup(&data, &file),
            Verb::Restore { file, force } => restore(&data, &file, Force(force)),
            Verb::Verify { thorough } => verify(&data, thorough),
            Verb::Vacuum => vacuum(&data),
        });
        let done = done.await.map_err(|cause| Failure::usage(cause.to_string()))?;
        let is_damaged = done.as_ref().is_ok_and(|done| done["ok"] == false);
        let health = if is_damaged { Health::Damaged } else { Health::Well };
        let recorded = noted::record(&kept, action, (&done, health)).await;
        let mut done = done?;
        if let Some(recorded) = recorded {
            done["recorded"] = recorded.into();
        }
        screen.show(&done, told)?;
        if done["ok"] == false {
            return Err(Failure::refused("The store is not well."));
        }
        Ok(())
    }
}

/// Whether a store may be replaced.
struct Force(bool);

/// What a command did, for people.
fn told(done: &Value) -> String {
    let checks = done["checks"].as_array().into_iter().flatten().map(|check| {
        let wrong = check["wrong"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let wrong: Vec<&str> = wrong.collect();
        if wrong.is_empty() {
            format!("ok     {}", field(check, "name"))
        } else {
            format!("WRONG  {}\n         {}", field(check, "name"), wrong.join("\n         "))
        }
    });
    let recorded = done["recorded"].as_str().map(str::to_owned);
    let lines: Vec<String> = checks.chain([field(done, "said")]).chain(recorded).collect();
    lines.join("\n")
}

fn backup(data: &Path, file: &Path) -> Result<Value, Failure> {
    let store = existing(data)?;
    if file.exists() {
        return Err(Failure::usage(format!("`{}` exists; name another file.", file.display())));
    }
    let beside = directory(file);
    room(&beside, size(&store))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    // Only what is whole gets the name that was asked for.
    let unfinished = beside.join(format!(".{name}.{}.partial", std::process::id()));
    let contents = files::copy(&store, &unfinished).map_err(failed)?;
    let named = fs::hard_link(&unfinished, file);
    let removed = fs::remove_file(&unfinished);
    named.and(removed).and_then(|()| sync(&beside)).map_err(|cause| {
        Failure::usage(format!("`{}` cannot be written: {cause}.", file.display()))
    })?;
    Ok(report(&contents, format!("Backed up and examined: {}", file.display())))
}

fn restore(data: &Path, file: &Path, force: Force) -> Result<Value, Failure> {
    make_directory(data)?;
    let _lock = lock(data)?;
    let store = store_file(data);
    if store.exists() && !force.0 {
        return Err(Failure::usage(format!(
            "`{}` has a store; `--force` puts the backup in its place and keeps it beside.",
            data.display()
        )));
    }
    room(data, size(file))?;
    let new = store.with_extension("new");
    remove(&new)?;
    let contents = files::copy(file, &new).map_err(failed)?;
    // A store that is damaged cannot tell how far its trail went.
    let replaced = files::heads(&store).ok().map(|heads| shown(&heads, Clock::system().now()));
    let kept = if store.exists() { Some(set_aside(&store)?) } else { None };
    replace(&store, &new)?;
    let kept = kept.map(|kept| format!(" What was there is {} now.", kept.display()));
    let said = format!(
        "Restored. Its tokens are those of the backup; `admin.token` and `audit.key` are not part of it: without the \
         `audit.key` of the backed up server nothing proves how its audit trail ends.{}",
        kept.unwrap_or_default()
    );
    let mut done = report(&contents, said);
    if let Some(replaced) = replaced.and_then(|heads| serde_json::to_value(heads).ok()) {
        done["replaced"] = replaced;
    }
    Ok(done)
}

/// Gives the store that is there a second name, under which it stays. It is there under its own until the new one is.
fn set_aside(store: &Path) -> Result<PathBuf, Failure> {
    let time = rfc3339(Clock::system().now()).replace([':', '.'], "-");
    let aside = store.with_extension(format!("db.before-{time}"));
    let linked = || -> io::Result<()> {
        if files::fold(store).is_err() {
            // It is damaged. Its log must not be taken for the new one's.
            for end in ["-wal", "-shm"] {
                let name = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
                if name(store).exists() {
                    fs::rename(name(store), name(&aside))?;
                }
            }
        }
        fs::hard_link(store, &aside)
    };
    linked().map_err(|cause| Failure::usage(format!("The store cannot be kept: {cause}.")))?;
    Ok(aside)
}

/// Puts a new store in the place of what is there, at once.
fn replace(store: &Path, new: &Path) -> Result<(), Failure> {
    // What a log that is left of the old one says is in its file by now, and must not be taken for the new one's.
    for end in ["-wal", "-shm"] {
        remove(&PathBuf::from(format!("{}{end}", store.display())))?;
    }
    let replaced = fs::rename(new, store).and_then(|()| sync(&directory(store)));
    replaced.map_err(|cause| Failure::usage(format!("The store cannot be replaced: {cause}.")))
}

/// What helps where nothing is wrong but that the key that signed the audit trail is not at hand.
const KEY_HELPS: &str = "All else is well. Put the `audit.key` of the server that wrote the store into the data directory and \
    restart its server, or, where that key is lost, run `alertmill audit accept` against the server, which signs the trail anew.";

fn verify(data: &Path, thorough: bool) -> Result<Value, Failure> {
    let care = if thorough { Care::Thorough } else { Care::Quick };
    let seal = existing_key(&seal_file(data))?.map(SealKey::new);
    let checks = files::verify(&existing(data)?, care, seal.as_ref()).map_err(failed)?;
    let mut remedies =
        checks.iter().filter(|check| !check.wrong.is_empty()).map(|check| check.remedy);
    let is_well = remedies.clone().next().is_none();
    let said = if is_well {
        "All is well."
    } else if remedies.all(|remedy| remedy == Remedy::Key) {
        KEY_HELPS
    } else {
        "Restore a backup, or ask for help."
    };
    let shown = |check: &Check| json!({ "name": check.name, "wrong": check.wrong });
    let checks: Vec<Value> = checks.iter().map(shown).collect();
    Ok(json!({ "ok": is_well, "checks": checks, "said": said }))
}

fn vacuum(data: &Path) -> Result<Value, Failure> {
    let store = existing(data)?;
    let _lock = lock(data)?;
    files::fold(&store).map_err(failed)?;
    let before = size(&store);
    room(data, before)?;
    let new = store.with_extension("new");
    remove(&new)?;
    let contents = files::copy(&store, &new).map_err(failed)?;
    replace(&store, &new)?;
    let gained = before.saturating_sub(contents.bytes);
    let said = format!("{before} bytes before, {} now; {gained} gained.", contents.bytes);
    let mut done = report(&contents, said);
    done["bytes_before"] = before.into();
    Ok(done)
}

fn report(contents: &Contents, said: String) -> Value {
    let rows: serde_json::Map<String, Value> =
        contents.rows.iter().map(|(table, rows)| (table.clone(), json!(rows))).collect();
    let events = rows.get("event").and_then(Value::as_u64).unwrap_or(0);
    let alerts = rows.get("alert").and_then(Value::as_u64).unwrap_or(0);
    let bytes = contents.bytes;
    let said = format!("{said}\n{events} events and {alerts} alerts in {bytes} bytes.");
    json!({ "ok": true, "said": said, "bytes": bytes, "rows": rows })
}

fn existing(data: &Path) -> Result<PathBuf, Failure> {
    let store = store_file(data);
    if store.is_file() {
        return Ok(store);
    }
    Err(Failure::usage(format!(
        "There is no store in `{}`; name another with `--data`.",
        data.display()
    )))
}

/// How many bytes a store has, its log included.
fn size(store: &Path) -> u64 {
    let bytes = |path: PathBuf| fs::metadata(path).map_or(0, |file| file.len());
    bytes(store.to_owned()) + bytes(PathBuf::from(format!("{}-wal", store.display())))
}

/// Whether there is room for so many bytes.
fn room(directory: &Path, bytes: u64) -> Result<(), Failure> {
    let disk = rustix::fs::statvfs(directory).map_err(|cause| {
        Failure::usage(format!("`{}` cannot be used: {cause}.", directory.display()))
    })?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= bytes {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "There is no room in `{}`: {bytes} bytes are needed, {free} are free.",
        directory.display()
    )))
}

fn directory(file: &Path) -> PathBuf {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_owned()
}

fn remove(file: &Path) -> Result<(), Failure> {
    match fs::remove_file(file) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Failure::usage(format!("`{}` cannot be removed: {cause}.", file.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Waits until the names in a directory are on the disk.
fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

fn failed(error: Error) -> Failure {
    let cause = error.cause.as_ref().map(|cause| format!(" ({cause})"));
    Failure::refused(format!(
        "{}{}.",
        error.detail.trim_end_matches('.'),
        cause.unwrap_or_default()
    ))
}
