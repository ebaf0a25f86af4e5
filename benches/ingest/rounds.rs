//! The rounds: each scenario in turn, again and again, so that a noisy minute falls on all of them alike.

use std::{io, rc::Rc, time::Duration};

use super::{
    body::{Body, Keys},
    client::Server,
    load::{Heard, Plan, Senders, Until},
    machine::{median, resident, syncs, usage},
};

/// The path that parses a body and keeps nothing.
const NOTHING: &str = "/bench/nothing";

/// A server under test.
pub(crate) struct Stand {
    /// Where its data is, and how it differs from the usual.
    pub(crate) name: &'static str,
    /// The server.
    pub(crate) server: Server,
    /// The paths of its webhooks.
    pub(crate) paths: Vec<String>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    /// Which server is posted to.
    pub(crate) stand: usize,
    /// How many alerts a body has.
    pub(crate) alerts: usize,
    /// Whose keys they have.
    pub(crate) keys: Keys,
    /// How many webhooks are posted to; none at all for the no-op.
    pub(crate) webhooks: usize,
    /// How many connections post.
    pub(crate) connections: usize,
}

/// What one round of a scenario showed.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Requests per second.
    pub(crate) rate: f64,
    /// The latency within which half of the answers came, in microseconds.
    pub(crate) p50: f64,
    /// The latency within which 99 of 100 answers came, in microseconds.
    pub(crate) p99: f64,
    /// Processor time of the server per request, in microseconds.
    pub(crate) cpu: f64,
    /// Processor time of the senders per request, in microseconds.
    pub(crate) sending: f64,
    /// Deliveries per commit.
    pub(crate) batch: f64,
    /// Bytes written to disk per event.
    pub(crate) written: f64,
    /// How long 4 KiB took to be on the disk just before, in microseconds.
    pub(crate) sync: f64,
}

/// How many rounds there are, and how long each is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// How many rounds.
    pub(crate) rounds: usize,
    /// How long a scenario takes in each.
    pub(crate) time: Duration,
}

/// Runs every scenario in each round; gives what each round showed, by scenario.
pub(crate) fn run(
    stands: &[Stand],
    scenarios: &[Scenario],
    effort: Effort,
    mut said: impl FnMut(usize),
) -> io::Result<Vec<Vec<Shown>>> {
    let senders = Senders::new()?;
    let mut shown = vec![Vec::new(); scenarios.len()];
    for scenario in scenarios {
        // Opens the alerts of the keys that repeat, and the connections of readers and caches.
        warm_up(&senders, stands, *scenario)?;
    }
    for round in 0..effort.rounds {
        said(round);
        for (scenario, shown) in scenarios.iter().zip(&mut shown) {
            shown.push(once(&senders, &stands[scenario.stand], *scenario, effort.time)?);
        }
    }
    Ok(shown)
}

fn plan(stand: &Stand, scenario: Scenario, until: Until) -> Plan {
    let paths = match scenario.webhooks {
        0 => vec![NOTHING.to_owned()],
        count => stand.paths[..count].to_vec(),
    };
    Plan {
        address: stand.server.address(),
        paths: Rc::new(paths),
        body: Body::of(scenario.alerts),
        keys: scenario.keys,
        connections: scenario.connections,
        until,
    }
}

fn warm_up(senders: &Senders, stands: &[Stand], scenario: Scenario) -> io::Result<()> {
    let until = Until::Time(Duration::from_millis(150));
    check(&senders.post(plan(&stands[scenario.stand], scenario, until), 200)?);
    Ok(())
}

/// Every answer must be the promise that is measured.
fn check(heard: &Heard) {
    assert!(heard.unexpected.is_empty(), "unexpected answers: {:?}", heard.unexpected.first());
    assert!(!heard.latencies.is_empty(), "no answer at all");
}

fn once(senders: &Senders, stand: &Stand, scenario: Scenario, time: Duration) -> io::Result<Shown> {
    let (server, own) = (stand.server.pid(), std::process::id());
    let sync = median(&syncs(stand.server.data(), 40)?);
    let before = (usage(server)?, usage(own)?, commits(&stand.server));
    let heard = senders.post(plan(stand, scenario, Until::Time(time)), 200)?;
    let after = (usage(server)?, usage(own)?, commits(&stand.server));
    check(&heard);
    let requests = heard.latencies.len() as f64;
    let per_request = |seconds: f64| seconds * 1e6 / requests;
    let commits = after.2.0 - before.2.0;
    Ok(Shown {
        rate: heard.rate(),
        p50: heard.within(0.5),
        p99: heard.within(0.99),
        cpu: per_request(after.0.cpu - before.0.cpu),
        sending: per_request(after.1.cpu - before.1.cpu),
        batch: if commits > 0.0 { (after.2.1 - before.2.1) / commits } else { 0.0 },
        written: (after.0.written - before.0.written) as f64 / requests / scenario.alerts as f64,
        sync,
    })
}

/// How many commits there were, and how many units of work they held.
fn commits(server: &Server) -> (f64, f64) {
    (metric(server, "alertmill_commit_jobs_count"), metric(server, "alertmill_commit_jobs_sum"))
}

/// The sum of all values of a metric.
pub(crate) fn metric(server: &Server, name: &str) -> f64 {
    let text = String::from_utf8_lossy(&server.get("/metrics").body).into_owned();
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    };
    text.lines().filter_map(value).sum()
}

/// How long an answer to someone who may not come in takes, for an unknown webhook and for a wrong key, in turn.
pub(crate) fn refusals(stand: &Stand, effort: Effort) -> io::Result<[Heard; 2]> {
    let senders = Senders::new()?;
    let known = &stand.paths[0];
    let (webhook, _) = known.trim_end_matches("/events").rsplit_once('/').unwrap_or_default();
    let wrong_key = format!("{webhook}/{}/events", "0".repeat(43));
    let unknown_id = "/monitoring/v1/webhook/webhook-00000000000070008000000000000000";
    let unknown_id = format!("{unknown_id}/{}/events", "0".repeat(43));
    let mut heard = [Heard::default(), Heard::default()];
    for _ in 0..effort.rounds * 2 {
        for (path, heard) in [&unknown_id, &wrong_key].into_iter().zip(&mut heard) {
            let plan = Plan {
                address: stand.server.address(),
                paths: Rc::new(vec![path.clone()]),
                body: Body::of(1),
                keys: Keys::Repeated,
                connections: 1,
                until: Until::Count(500),
            };
            let round = senders.post(plan, 401)?;
            check(&round);
            heard.latencies.extend(round.latencies);
        }
    }
    for heard in &mut heard {
        heard.latencies.sort_unstable();
    }
    Ok(heard)
}

/// Resident memory of a server, in MiB: just started, and with so many alerts open.
pub(crate) fn memory(server: &Server, alerts: u64) -> io::Result<(f64, f64)> {
    let idle = resident(server.pid())?;
    let door = server.webhook("alertmanager", "many");
    let plan = Plan {
        address: server.address(),
        paths: Rc::new(vec![door.path]),
        body: Body::of(10),
        keys: Keys::New,
        connections: 16,
        until: Until::Count(alerts / 10),
    };
    check(&Senders::new()?.post(plan, 200)?);
    let open = metric(server, "alertmill_alerts_open");
    assert!(open >= alerts as f64, "{open} alerts are open");
    Ok((idle, resident(server.pid())?))
}
