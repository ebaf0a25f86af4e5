//! What the audit trail costs at a million records: a page of each filter, an export, verifying, writing.
//!
//! `cargo bench --bench trail -- [--records 1000000] [--dir DIR]` builds the store itself and keeps it in DIR, so that
//! another run asks the same one. Read the ratios: absolute figures are the machine's.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "no figure here has more digits than a float")]

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
};

use alertmill::{
    clock::{Stopwatch, from_millis},
    domain::{
        audit::{Actor, ActorKind, AuditEntry, Entity, SealKey, Trail},
        project::Domain,
        scope::Scope,
    },
    error::{Error, Result},
    id::{Id, Mint},
    metrics::Metrics,
    query::{AUDITS, Query},
    store::{Durability, Options, Store, Stretch, Tx, Verification, Way},
};
use serde_json::{Value, json};

/// When the first record occurred.
const BEGIN: i64 = 1_767_225_600_000;
/// How many records one unit of work adds.
const SHARE: u64 = 1000;
/// How often each question is asked, for a page of 40 and for one of 1000.
const TIMES: [(u32, u64); 2] = [(40, 1000), (1000, 50)];
/// Of eight records, so many are of each trail.
const TRAILS: [Trail; 8] = [
    Trail::Own,
    Trail::Own,
    Trail::Own,
    Trail::Own,
    Trail::Posted,
    Trail::Posted,
    Trail::AuditEvent,
    Trail::Event,
];
const VERBS: [&str; 5] = ["create", "update", "delete", "enable", "rotate_key"];
const KINDS: [&str; 6] = ["webhook", "project", "token", "alert", "user", "silence"];

fn mixed(number: u64) -> u64 {
    let mixed = (number ^ (number >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

fn one<T: Copy>(of: &[T], chance: u64) -> T {
    of[usize::try_from(chance % of.len() as u64).unwrap_or_default()]
}

fn entry(number: u64) -> (Trail, AuditEntry) {
    let chance = mixed(number);
    let trail = one(&TRAILS, chance);
    let now = from_millis(BEGIN + i64::try_from(number).unwrap_or_default() * 1000);
    let user = chance / 8 % 500;
    let kind = one(&KINDS, chance / 4000);
    let thing = chance / 7 % 50_000;
    let actor =
        Actor::new(ActorKind::User, format!("user-{user:032x}"), format!("user{user}@example.org"));
    let mut entry = AuditEntry::new(now, actor, &format!("{kind}.{}", one(&VERBS, chance / 24_000)))
        .on(Entity::new(kind, format!("{kind}-{thing:032x}")).called(Some(format!("thing {thing}"))))
        .changed(
            Some(json!({ "name": format!("thing {thing}"), "state": "ENABLED", "tags": { "team": "billing" } })),
            Some(json!({ "name": format!("thing {thing}"), "state": "DISABLED", "tags": { "team": "billing" } })),
        );
    entry.remote = Some(format!("192.0.2.{}", chance % 250));
    entry.user_agent = Some("alertmill/1".to_owned());
    entry.request_id = Some(format!("request-{number:032x}"));
    if chance.is_multiple_of(50) {
        "ERROR_PERMISSION_DENIED".clone_into(&mut entry.outcome);
        entry.reason = Some("the caller may not do this".to_owned());
    }
    if trail != Trail::Own {
        let severity = one(&["info", "warning", "major", "critical"], chance / 3);
        let source = format!("service-{}", chance % 20);
        entry = entry
            .saying(json!({ "severity": severity, "source": source, "classification": "security",
            "visibility": "internal" }));
    }
    (trail, entry)
}

fn add(tx: &mut dyn Tx, numbers: std::ops::Range<u64>, mint: &Mint) -> Result<()> {
    let domain: Id<Domain> = "default".into();
    for number in numbers {
        let (trail, entry) = entry(number);
        let name = format!("posted-{number}");
        if trail == Trail::Own {
            tx.add_audit(&domain, entry, mint)?;
        } else {
            tx.post_audit(&domain, (trail, Some(&name)), entry, mint)?;
        }
    }
    Ok(())
}

async fn built(file: &Path, records: u64) -> Result<Store> {
    let options = Options {
        durability: Durability::Normal,
        seal: SealKey::new([7; 32]),
        ..Options::default()
    };
    let is_new = !file.exists();
    let store = Store::open(file, &options, Arc::new(Metrics::default()))?;
    if is_new {
        let domain = Domain {
            domain_id: "default".into(),
            name: "default".to_owned(),
            created_at: from_millis(0),
        };
        store.write(move |tx| tx.put_domain(&domain)).await?;
        let (watch, mint) = (Stopwatch::start(), Mint::repeatable());
        for first in (0..records).step_by(usize::try_from(SHARE).unwrap_or(1000)) {
            let mint = mint.clone();
            store.write(move |tx| add(tx, first..records.min(first + SHARE), &mint)).await?;
        }
        let each = watch.elapsed().as_secs_f64() * 1e6 / records as f64;
        println!("built in {:.0} s: {each:.0} us a record", watch.elapsed().as_secs_f64());
    }
    let bytes = std::fs::metadata(file).map_or(0, |file| file.len());
    println!("{records} records in {bytes} bytes, {} a record\n", bytes / records.max(1));
    Ok(store)
}

fn is(field: &str, value: impl Into<Value>) -> Value {
    json!({ "k": field, "v": value.into(), "o": "eq" })
}

/// What is asked, for the number of a round.
type Question = Box<dyn Fn(u64) -> Value>;

/// The questions: a name, and the filter of the one with this number.
#[expect(clippy::too_many_lines, reason = "a line or two for each question")]
fn questions() -> Vec<(&'static str, Question)> {
    let user = |number: u64| format!("user-{:032x}", mixed(number) % 500);
    let all = json!(["OWN", "POSTED", "AUDIT_EVENT", "EVENT", "COMMUNICATION_EVENT"]);
    let time = |number: u64| {
        alertmill::clock::rfc3339(from_millis(BEGIN + i64::try_from(number).unwrap_or(0) * 1000))
    };
    let several = all.clone();
    vec![
        ("everything", Box::new(|_| json!([]))),
        ("one trail", Box::new(|_| json!([is("trail", "OWN")]))),
        (
            "five trails named",
            Box::new(move |_| json!([{ "k": "trail", "v": several, "o": "in" }])),
        ),
        (
            "before a time",
            Box::new(
                move |number| json!([{ "k": "occurred_at", "v": time(number * 997), "o": "lt" }]),
            ),
        ),
        (
            "action",
            Box::new(|number| {
                json!([is("action", format!("{}.{}", one(&KINDS, number), one(&VERBS, number)))])
            }),
        ),
        (
            "one of six actions",
            Box::new(|number| {
                let actions: Vec<String> =
                    KINDS.iter().map(|kind| format!("{kind}.{}", one(&VERBS, number))).collect();
                json!([{ "k": "action", "v": actions, "o": "in" }])
            }),
        ),
        ("actor", Box::new(move |number| json!([is("actor", format!("user:{}", user(number)))]))),
        ("actor_type", Box::new(|_| json!([is("actor_type", "user")]))),
        ("actor_type that nobody is", Box::new(|_| json!([is("actor_type", "application")]))),
        ("actor_id", Box::new(move |number| json!([is("actor_id", user(number))]))),
        (
            "actor_name",
            Box::new(|number| {
                json!([is("actor_name", format!("user{}@example.org", number % 500))])
            }),
        ),
        ("entity_type", Box::new(|number| json!([is("entity_type", one(&KINDS, number))]))),
        (
            "entity_id",
            Box::new(|number| {
                let thing = mixed(number) / 7 % 50_000;
                json!([is("entity_id", format!("{}-{thing:032x}", one(&KINDS, number)))])
            }),
        ),
        (
            "entity_name",
            Box::new(|number| {
                json!([is("entity_name", format!("thing {}", mixed(number) % 50_000))])
            }),
        ),
        ("success", Box::new(|_| json!([is("is_success", "true")]))),
        ("failure", Box::new(|_| json!([is("is_success", "false")]))),
        ("outcome", Box::new(|_| json!([is("outcome", "ERROR_PERMISSION_DENIED")]))),
        ("remote", Box::new(|number| json!([is("remote", format!("192.0.2.{}", number % 250))]))),
        (
            "request_id",
            Box::new(|number| json!([is("request_id", format!("request-{:032x}", number * 997))])),
        ),
        (
            "posted_id",
            Box::new(|number| json!([is("posted_id", format!("posted-{}", number * 997))])),
        ),
        ("details.severity", Box::new(|_| json!([is("details.severity", "major")]))),
        (
            "details.source",
            Box::new(|number| json!([is("details.source", format!("service-{}", number % 20))])),
        ),
        ("details.classification", Box::new(|_| json!([is("details.classification", "security")]))),
        (
            "actor_id, action and a time",
            Box::new(move |number| {
                json!([is("actor_id", user(number)), is("action", "webhook.delete"),
                { "k": "occurred_at", "v": time(number * 997), "o": "lt" }])
            }),
        ),
    ]
}

/// Median and p99 of a page, in milliseconds.
async fn measured(
    store: &Store,
    (rows, times): (u32, u64),
    filter: &dyn Fn(u64) -> Value,
) -> Result<(f64, f64, usize)> {
    let mut took = Vec::new();
    let mut found = 0;
    for number in 0..times {
        let page = json!({ "limit": rows, "total": "none" });
        let asked = json!({ "filter": filter(number), "page": page });
        let query = Query::parse(&asked, &AUDITS, from_millis(BEGIN))?;
        let read = store.read(move |tx| {
            let watch = Stopwatch::start();
            let found = tx.audits(&Scope::EVERYTHING, &query)?.rows.len();
            Ok((watch.elapsed().as_secs_f64() * 1e3, found))
        });
        let (millis, rows) = read.await?;
        took.push(millis);
        found = found.max(rows);
    }
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took[(took.len() * share / 1000).min(took.len() - 1)];
    Ok((at(500), at(990), found))
}

/// All records, a stretch at a time as an export reads them, as lines of JSON.
async fn export(store: &Store) -> Result<()> {
    let watch = Stopwatch::start();
    let (mut after, mut rows, mut bytes) = (None, 0_u64, 0);
    loop {
        let read = store.read(move |tx| {
            let fields = AUDITS.fields.iter().map(|field| field.name).collect();
            let query = Query::default();
            let stretch = Stretch {
                filter: &query.filter,
                fields: &fields,
                way: Way::OldestFirst,
                after,
                newest: i64::MAX,
                rows: 1000,
            };
            let (mut last, mut read, mut bytes) = (after, 0, 0);
            tx.audit_stretch(&Scope::EVERYTHING, &stretch, &mut |place, record| {
                (last, read, bytes) = (Some(place), read + 1, bytes + record.to_string().len());
                Ok(ControlFlow::Continue(()))
            })?;
            Ok((last, read, bytes))
        });
        let (last, read, size) = read.await?;
        (after, rows, bytes) = (last, rows + read, bytes + size);
        if read < 1000 {
            break;
        }
    }
    let seconds = watch.elapsed().as_secs_f64();
    println!("export: {rows} records, {bytes} bytes as lines of JSON, in {seconds:.1} s");
    Ok(())
}

async fn verify(store: &Store) -> Result<()> {
    let watch = Stopwatch::start();
    let mut verification =
        Verification::new(Scope::EVERYTHING, Some(SealKey::new([7; 32])), Vec::new());
    loop {
        let read = store.read(move |tx| {
            let more = verification.go_on(tx)?;
            Ok((verification, more))
        });
        let more;
        (verification, more) = read.await?;
        if !more {
            break;
        }
    }
    let records: u64 = verification.chains.iter().map(|chain| chain.records).sum();
    let whole = if verification.is_whole() { "whole" } else { "not whole" };
    println!("verify: {records} records in {:.1} s: {whole}", watch.elapsed().as_secs_f64());
    Ok(())
}

/// Records added one a unit of work, and a thousand in one.
async fn write(store: &Store, records: u64) -> Result<()> {
    let mint = Mint::unpredictable();
    for (share, times) in [(1, 2000), (SHARE, 10)] {
        let watch = Stopwatch::start();
        for round in 0..times {
            let (mint, first) = (mint.clone(), 10 * records + share * SHARE * 10 + round * share);
            store.write(move |tx| add(tx, first..first + share, &mint)).await?;
        }
        let each = watch.elapsed().as_secs_f64() * 1e6 / (share * times) as f64;
        println!("written {share} at a time: {each:.0} us a record");
    }
    Ok(())
}

async fn run(directory: &Path, records: u64) -> Result<()> {
    let file = directory.join(format!("trail-{records}.db"));
    let store = built(&file, records).await?;
    println!("{:<32} {:>22} {:>22}", "median / p99 in ms", "40 rows", "1000 rows");
    for (name, filter) in questions() {
        let (few, most) = (
            measured(&store, TIMES[0], &filter).await?,
            measured(&store, TIMES[1], &filter).await?,
        );
        println!(
            "{name:<32} {:>8.3} /{:>8.3} ({:>2}) {:>8.3} /{:>8.3} ({:>4})",
            few.0, few.1, few.2, most.0, most.1, most.2
        );
    }
    println!();
    export(&store).await?;
    verify(&store).await?;
    write(&store, records).await?;
    store.close();
    Ok(())
}

fn main() -> io::Result<()> {
    let mut directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut records = 1_000_000;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--dir" => directory = arguments.next().unwrap_or_default().into(),
            "--records" => {
                records = arguments.next().and_then(|it| it.parse().ok()).unwrap_or(records);
            }
            _ => {}
        }
    }
    std::fs::create_dir_all(&directory)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&directory, records)).map_err(|error: Error| io::Error::other(error))
}
