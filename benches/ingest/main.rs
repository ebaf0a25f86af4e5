//! What taking in deliveries costs, as ratios to what could not be cheaper, held against the budgets.
//!
//! `cargo bench --bench ingest` runs the release binary as a child and posts to it over loopback; `-- --quick` takes a
//! minute. Absolute figures are those of the machine and its neighbours; the ratios are measured in turn.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "no figure here has more digits than a float")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a sorted list"
)]
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a bench that cannot run should say where"
)]

mod body;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../../tests/it/client.rs"]
mod client;
mod load;
mod machine;
mod mapping;
mod report;
mod rounds;

use std::{io, path::Path, time::Duration};

use self::{
    body::Keys,
    client::Server,
    machine::{median, syncs},
    report::{Budget, HEAD, Row, line, mean, ratio},
    rounds::{Effort, Scenario, Shown, Stand},
};

/// The places in the list of stands.
const DISK: usize = 0;
const MEMORY: usize = 1;
const ALONE: usize = 2;

/// How many alerts are open when memory is measured.
const OPEN_ALERTS: u64 = 100_000;

const MANY_CONNECTIONS: usize = 64;

/// What was measured, by scenario.
struct Measured {
    scenarios: Vec<Scenario>,
    shown: Vec<Vec<Shown>>,
}

fn main() -> io::Result<()> {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let effort = if is_quick {
        Effort { rounds: 3, time: Duration::from_millis(400) }
    } else {
        Effort { rounds: 7, time: Duration::from_millis(1200) }
    };
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let memory = tempfile::tempdir_in("/dev/shm")?;
    let before = sync_times(disk.path())?;
    println!("disk {} · memory {}", disk.path().display(), memory.path().display());
    println!("4 KiB on the disk: p50 {:.0} us, p99 {:.0} us", before.0, before.1);
    let stands = stands(disk.path(), memory.path());
    let measured = measure(&stands, effort)?;
    measured.tell(&stands);
    let refused = rounds::refusals(&stands[MEMORY], effort)?;
    println!("\nanswers 401 over one connection, in turn");
    for (what, heard) in ["unknown id", "wrong key"].into_iter().zip(&refused) {
        let (p50, p99) = (heard.within(0.5), heard.within(0.99));
        println!("  {what:<12} p50 {p50:.1} us   p99 {p99:.1} us   of {}", heard.latencies.len());
    }
    let mut rows = measured.budgets();
    drop(stands);
    rows.extend(memory_rows(disk.path())?);
    rows.push(mapping_row(effort.rounds));
    rows.sort_by_key(Row::number);
    println!(
        "\nrow  what                                                               measured  budget"
    );
    for row in &rows {
        println!("{}", row.line());
    }
    let after = sync_times(disk.path())?;
    println!("\n4 KiB on the disk afterwards: p50 {:.0} us, p99 {:.0} us", after.0, after.1);
    Ok(())
}

/// How long 4 KiB take to be on the disk: at the median, and for the slowest of a hundred.
fn sync_times(directory: &Path) -> io::Result<(f64, f64)> {
    let mut times = syncs(directory, 500)?;
    times.sort_unstable_by(f64::total_cmp);
    Ok((median(&times), times[times.len() * 99 / 100]))
}

fn stands(disk: &Path, memory: &Path) -> Vec<Stand> {
    let stand = |name: &'static str, directory: &Path, webhooks: usize, flags: &[&str]| {
        let flags = [&["--bench"], flags].concat();
        let server = Server::start_in(Some(&directory.join(name.replace(' ', "-"))), &flags);
        let hook = |number| server.webhook("alertmanager", &format!("hook-{number}")).path;
        let paths = (0..webhooks).map(hook).collect();
        Stand { name, server, paths }
    };
    vec![
        stand("disk", disk, 1000, &[]),
        stand("memory", memory, 1000, &[]),
        stand("disk, share 1", disk, 1, &["--commit-share", "1"]),
    ]
}

/// One alert a body, of keys that repeat, at one webhook.
fn usual(stand: usize) -> Scenario {
    let connections = MANY_CONNECTIONS;
    Scenario { stand, alerts: 1, keys: Keys::Repeated, webhooks: 1, connections }
}

fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for stand in [DISK, MEMORY] {
        let usual = usual(stand);
        all.extend([
            Scenario { webhooks: 0, ..usual },
            usual,
            Scenario { keys: Keys::New, ..usual },
            Scenario { alerts: 10, webhooks: 0, ..usual },
            Scenario { alerts: 10, ..usual },
            Scenario { alerts: 10, keys: Keys::New, ..usual },
            Scenario { webhooks: 100, ..usual },
            Scenario { webhooks: 1000, ..usual },
            Scenario { connections: 1, webhooks: 0, ..usual },
            Scenario { connections: 1, ..usual },
        ]);
        if stand == DISK {
            all.push(Scenario { stand: ALONE, ..usual });
        }
    }
    all
}

fn measure(stands: &[Stand], effort: Effort) -> io::Result<Measured> {
    let scenarios = scenarios();
    let shown = rounds::run(stands, &scenarios, effort, |round| {
        println!("round {} of {}", round + 1, effort.rounds);
    })?;
    Ok(Measured { scenarios, shown })
}

impl Measured {
    fn of(&self, wanted: Scenario) -> &[Shown] {
        let at = self.scenarios.iter().position(|scenario| *scenario == wanted);
        &self.shown[at.expect("the scenario is in the list")]
    }

    fn tell(&self, stands: &[Stand]) {
        println!("\n{HEAD}");
        for (&scenario, shown) in self.scenarios.iter().zip(&self.shown) {
            let no_op = Scenario { webhooks: 0, keys: Keys::Repeated, ..scenario };
            let known = scenario.webhooks > 0 && self.scenarios.contains(&no_op);
            let beside = known.then(|| self.of(no_op));
            println!("{}", line(stands, scenario, shown, beside));
        }
    }

    /// Rows 1 to 5, 12, 13 and 15.
    fn budgets(&self) -> Vec<Row> {
        let mut rows = self.against_the_no_op();
        rows.extend(self.against_itself());
        rows.extend(self.on_disk());
        rows
    }

    /// How long 4 KiB took to be on the disk, in microseconds.
    fn sync(&self) -> f64 {
        median(&self.of(usual(DISK)).iter().map(|shown| shown.sync).collect::<Vec<_>>())
    }

    /// Rows 1 to 3.
    fn against_the_no_op(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let on_disk = if self.sync() > 1000.0 { 0.20 } else { 0.30 };
        for (number, place, stand, least) in
            [(1, "memory", MEMORY, 0.40), (2, "disk", DISK, on_disk)]
        {
            let no_op = self.of(Scenario { webhooks: 0, ..usual(stand) });
            for keys in [Keys::Repeated, Keys::New] {
                let durable = self.of(Scenario { keys, ..usual(stand) });
                let rate = ratio(durable, no_op, |shown| shown.rate);
                let what = format!("durable / no-op, {place}, {} keys", keys.as_str());
                rows.push(Row::new(number, what, rate, Budget::AtLeast(least), "x"));
            }
            let cpu = ratio(no_op, self.of(usual(stand)), |shown| shown.cpu);
            let what = format!("CPU per request, no-op / durable, {place}");
            rows.push(Row::new(3, what, cpu, Budget::AtLeast(0.25), "x"));
        }
        rows
    }

    /// Rows 4, 5 and 12.
    fn against_itself(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let to_usual = |scenario: Scenario, stand| {
            ratio(self.of(scenario), self.of(usual(stand)), |shown| shown.rate)
        };
        for (place, stand) in [("memory", MEMORY), ("disk", DISK)] {
            let events = 10.0 * to_usual(Scenario { alerts: 10, ..usual(stand) }, stand);
            let what = format!("events/s, ten alerts a body / one, {place}");
            rows.push(Row::new(4, what, events, Budget::AtLeast(2.0), "x"));
            let many = to_usual(Scenario { webhooks: 1000, ..usual(stand) }, stand);
            let what = format!("rate with 1 000 webhooks / with one, {place}");
            rows.push(Row::new(12, what, many, Budget::AtLeast(0.95), "x"));
        }
        let shared = 1.0 / to_usual(usual(ALONE), DISK);
        let what = "shared commits / one transaction a request, disk".to_owned();
        rows.push(Row::new(5, what, shared, Budget::AtLeast(5.0), "x"));
        rows
    }

    /// Rows 13 and 15.
    fn on_disk(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (alerts, most) in [(1, 14.0), (10, 7.0)] {
            for keys in [Keys::Repeated, Keys::New] {
                let written = mean(self.of(Scenario { alerts, keys, ..usual(DISK) })) / 1024.0;
                let what =
                    format!("bytes written per event, {alerts} a body, {} keys", keys.as_str());
                rows.push(Row::new(13, what, written, Budget::AtMost(most), "KB"));
            }
        }
        let single = self.of(Scenario { connections: 1, ..usual(DISK) });
        let p50 = median(&single.iter().map(|shown| shown.p50).collect::<Vec<_>>());
        let sync = median(&single.iter().map(|shown| shown.sync).collect::<Vec<_>>());
        let what = format!("one connection, durable, p50, disk (fsync {sync:.0} us)");
        let most = 1.5 * sync / 1000.0 + 0.15;
        rows.push(Row::new(15, what, p50 / 1000.0, Budget::AtMost(most), "ms"));
        rows
    }
}

/// Row 14.
fn memory_rows(disk: &Path) -> io::Result<Vec<Row>> {
    let server = Server::start_in(Some(&disk.join("memory")), &[]);
    let (idle, full) = rounds::memory(&server, OPEN_ALERTS)?;
    let row = |what: &str, measured, most| {
        Row::new(14, what.to_owned(), measured, Budget::AtMost(most), "MiB")
    };
    Ok(vec![
        row("resident memory, idle", idle, 16.0),
        row("resident memory, 100 000 open alerts", full, 64.0),
    ])
}

/// Row 17.
fn mapping_row(rounds: usize) -> Row {
    let (one, ten) = (mapping::cost(1, rounds), mapping::cost(10, rounds));
    println!(
        "\nin process, per alert: mapping {:.0} ns, parsing {:.0} ns; in a body of ten {:.0} ns, {:.0} ns",
        one.mapping, one.parsing, ten.mapping, ten.parsing
    );
    let what = "mapping of one alert, 12 fields".to_owned();
    Row::new(17, what, one.mapping / 1000.0, Budget::AtMost(1.0), "us")
}
