//! `alertmill audit`: what was done, by whom, and whether the record of it is whole.
//!
//! `verify` and `head` work on the files of a data directory, whether its server runs or not, so that they need nobody's
//! word; with `--url` they ask a server.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure, audit_export, audit_list,
    client::Client,
    show::{Screen, field},
};
use crate::{
    api::audits::{VerifiedInfo, VerifyTrail, shown},
    app::{existing_key, seal_file, store_file},
    clock::Clock,
    config::Reach,
    domain::{audit::SealKey, scope::Scope},
    error::Error,
    store::{Verification, files},
};

/// See what was done, by whom, and whether the record of it is whole.
#[derive(Args)]
pub(super) struct Audit {
    #[command(flatten)]
    reach: Reach,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    List(Box<audit_list::List>),
    Export(Box<audit_export::Export>),
    /// Read the trail to its end, and name the first record of each chain that was changed, is missing or was put there.
    /// The server may run meanwhile. Exit code 1 where something is wrong.
    Verify {
        /// Heads that were taken out before: the trail must still contain them, whoever had its key.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
        /// Check the chains alone, where `audit.key` is not at hand: newest records that are gone do not show then,
        /// unless a head tells of them.
        #[arg(long)]
        without_key: bool,
    },
    /// Trust how the chains stand that are `UNPROVEN`, after the store was restored without its `audit.key`. A running server
    /// does it, and records it. Records that were changed or are missing stay so.
    Accept {
        /// Why they are to be trusted.
        #[arg(long)]
        reason: String,
    },
    /// Print how the chains of the trail stand, to be kept where no administrator of this machine reaches.
    Head {
        /// The file to write; one that exists is left alone.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Audit {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let screen = Screen::new(self.reach.json);
        match self.verb {
            Verb::List(list) => list.run(&self.reach).await,
            Verb::Export(export) => export.run(&self.reach).await,
            Verb::Verify { head, without_key } => {
                let head = head.as_deref().map(kept).transpose()?;
                let seal = if without_key { Seal::Unknown } else { Seal::Known };
                let verified = verify(&self.reach, head, seal).await?;
                screen.show(&verified, told)?;
                match verified["ok"].as_bool() {
                    Some(true) => Ok(()),
                    _ => Err(Failure::refused("The audit trail is not whole.")),
                }
            }
            Verb::Accept { reason } => {
                let asked = json!({ "reason": reason });
                let answer = Client::find(&self.reach)?.post("/api/v1/audit/accept", asked).await?;
                screen.show(&answer, accepted)
            }
            Verb::Head { out } => {
                let heads = heads(&self.reach).await?;
                match out {
                    Some(file) => keep(&file, &heads),
                    None => Screen::new(true).show(&heads, |_| String::new()),
                }
            }
        }
    }
}

/// Whether signatures are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seal {
    Known,
    Unknown,
}

async fn verify(reach: &Reach, head: Option<Value>, seal: Seal) -> Result<Value, Failure> {
    if reach.url.is_some() {
        let client = Client::find(reach)?;
        let asked = head.unwrap_or_else(|| json!({}));
        return client.post("/api/v1/audit/verify", asked).await;
    }
    let asked: VerifyTrail = match head {
        Some(head) => serde_json::from_value(head).map_err(|cause| {
            Failure::usage(format!(
                "That is no head of a trail: {cause}. Make one with `alertmill audit head`."
            ))
        })?,
        None => VerifyTrail::default(),
    };
    let (store, key) = (existing(&reach.data)?, key(&reach.data, seal)?);
    let verified = tokio::task::spawn_blocking(move || {
        let mut verification = Verification::new(Scope::EVERYTHING, key, asked.exported()?);
        files::verify_trail(&store, &mut verification)?;
        Ok(VerifiedInfo::from(verification))
    });
    let verified = verified.await.map_err(|cause| Failure::usage(cause.to_string()))?;
    value(&verified.map_err(|error: Error| failed(&error))?)
}

async fn heads(reach: &Reach) -> Result<Value, Failure> {
    if reach.url.is_some() {
        return Client::find(reach)?.get("/api/v1/audit/head", &[]).await;
    }
    let heads = files::heads(&existing(&reach.data)?).map_err(|error| failed(&error))?;
    value(&shown(&heads, Clock::system().now()))
}

/// What signed the heads.
fn key(data: &Path, seal: Seal) -> Result<Option<SealKey>, Failure> {
    if seal == Seal::Unknown {
        return Ok(None);
    }
    let file = seal_file(data);
    let key = existing_key(&file)?.ok_or_else(|| {
        Failure::usage(format!(
            "There is no `{}`, so nothing tells whether newest records are gone. Put it there, or give `--without-key`.",
            file.display()
        ))
    })?;
    Ok(Some(SealKey::new(key)))
}

fn existing(data: &Path) -> Result<PathBuf, Failure> {
    let store = store_file(data);
    if store.is_file() {
        return Ok(store);
    }
    Err(Failure::usage(format!(
        "There is no store in `{}`; name another with `--data`, or a server with `--url`.",
        data.display()
    )))
}

/// A head that was taken out before.
fn kept(file: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(file).map_err(|cause| {
        Failure::usage(format!("`{}` cannot be read: {cause}.", file.display()))
    })?;
    let kept: Value = serde_json::from_str(&text)
        .map_err(|cause| Failure::usage(format!("`{}` is not JSON: {cause}.", file.display())))?;
    if kept["heads"].as_array().is_none_or(Vec::is_empty) {
        return Err(Failure::usage(format!(
            "`{}` holds no head of a trail, so nothing would be compared. Make one with `alertmill audit head`.",
            file.display()
        )));
    }
    Ok(kept)
}

fn keep(file: &Path, heads: &Value) -> Result<(), Failure> {
    let written = fs::OpenOptions::new().write(true).create_new(true).open(file);
    let text = serde_json::to_string_pretty(heads).unwrap_or_else(|_| heads.to_string());
    written
        .and_then(|mut out| std::io::Write::write_all(&mut out, format!("{text}\n").as_bytes()))
        .map_err(|cause| {
            Failure::usage(format!("`{}` cannot be written: {cause}.", file.display()))
        })
}

fn value(shown: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(shown).map_err(|cause| Failure::usage(cause.to_string()))
}

fn failed(error: &Error) -> Failure {
    let place = error.mistakes.first().map(|it| format!(" at {}", it.pointer)).unwrap_or_default();
    Failure::refused(format!("{}{place}.", error.detail.trim_end_matches('.')))
}

/// What was found, for people.
fn told(verified: &Value) -> String {
    let chains = verified["chains"].as_array().into_iter().flatten().map(|chain| {
        let name = format!("{} of domain {}", field(chain, "trail"), field(chain, "domain_id"));
        let records = field(chain, "records");
        let broken = &chain["broken"];
        if broken.is_object() {
            format!("WRONG  {name}, after {records} records: {}", field(broken, "detail"))
        } else {
            format!("ok     {name}: {records} records")
        }
    });
    let wrong = verified["wrong"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let wrong = wrong.map(|wrong| format!("WRONG  {wrong}"));
    let compared = match verified["heads_compared"].as_u64() {
        None | Some(0) => None,
        Some(1) => Some("1 head compared.".to_owned()),
        Some(heads) => Some(format!("{heads} heads compared.")),
    };
    let said = match verified["ok"].as_bool() {
        Some(true) => "All of it is as it was written.",
        _ => "Keep a copy of the store as it is, and compare it with a backup.",
    };
    chains.chain(wrong).chain(compared).chain([said.to_owned()]).collect::<Vec<_>>().join("\n")
}

/// What was accepted, for people.
fn accepted(answer: &Value) -> String {
    let chains = answer["chains"].as_array().map(Vec::as_slice).unwrap_or_default();
    if chains.is_empty() && answer["count"] != true {
        return "There was nothing to accept: all of it is proven.".to_owned();
    }
    let told = chains.iter().map(|chain| {
        let (trail, domain) = (field(chain, "trail"), field(chain, "domain_id"));
        format!("accepted  {trail} of domain {domain}, up to record {}\n", chain["sequence"])
    });
    let told: String = told.collect();
    format!("{told}From now on it is signed with the key of this server.")
}
