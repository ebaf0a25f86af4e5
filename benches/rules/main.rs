//! What reading a payload costs, without server and store: parsing against mapping, for each shipped sample, and the
//! worst that a payload made to hurt can do.
//!
//! `cargo bench --bench rules`; `-- --quick` measures fewer rounds. Read the ratios: the absolute figures are those of
//! the machine and of its neighbours.
#![expect(clippy::print_stdout, reason = "it is a program that prints")]
#![expect(clippy::cast_precision_loss, reason = "no figure here has more digits than a float")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "../ingest/body.rs"]
#[expect(dead_code, reason = "nothing is posted here")]
mod body;
mod diff;
mod hostile;
#[cfg(feature = "plugins-js")]
mod script;

use std::{collections::BTreeMap, hint::black_box};

use alertmill::{
    clock::{Stopwatch, from_millis},
    rules::{Input, Mapping, Overrides, Reading, Rulebook, samples},
};
use serde_json::Value;

use self::body::Body;

/// How long one round of one measurement takes about, in nanoseconds: much less than a neighbour takes the processor for.
const ROUND: f64 = 3e5;

/// What stands around every payload.
struct Around {
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

/// What one payload costs, in nanoseconds.
struct Cost {
    parsing: f64,
    mapping: f64,
    live: f64,
    items: usize,
}

fn main() {
    let is_quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if is_quick { 21 } else { 101 };
    let book = Rulebook::embedded().expect("the mappings in the binary are right");
    let around = Around { headers: BTreeMap::new(), query: BTreeMap::new() };
    let mut rows = shipped(&book, &around, rounds);
    let mapping = book.get("alertmanager").expect("there is a mapping for Alertmanager");
    for (alerts, most) in [(1, 1000.0), (10, 1000.0)] {
        let payload = serde_json::from_slice(Body::of(alerts).text()).expect("the body is JSON");
        let cost = cost(mapping, &payload, &around, rounds);
        let per = alerts as f64;
        rows.push(row(
            17,
            &format!("mapping of one alert of {alerts}, 12 fields, ns"),
            cost.mapping / per,
            most,
        ));
        rows.push(row(
            17,
            &format!("mapping / parsing, {alerts} alerts a body"),
            cost.mapping / cost.parsing,
            1.0,
        ));
        rows.push(row(
            17,
            &format!("with counting / without, {alerts} alerts a body"),
            cost.live / cost.mapping,
            1.05,
        ));
    }
    rows.extend(hostile::rows(&book, &around));
    println!(
        "\nrow  what                                                               measured  budget"
    );
    for line in rows {
        println!("{line}");
    }
    println!("\nwithout a budget");
    #[cfg(feature = "plugins-js")]
    for (what, nanoseconds) in script::cost(rounds.min(31)) {
        println!("{what:<71} {nanoseconds:>8.0}");
    }
    let deliveries = if is_quick { 20_000 } else { 100_000 };
    for provider in ["alertmanager", "aws-sns", "generic"] {
        let what = format!("rules diff, deliveries a second by all cores, {provider}");
        println!("{what:<71} {:>8.0}", diff::rate(provider, deliveries));
    }
}

impl Around {
    fn input<'a>(&'a self, payload: &'a Value) -> Input<'a> {
        Input {
            payload,
            headers: &self.headers,
            query: &self.query,
            received_at: from_millis(1_767_225_600_000),
            zone: chrono_tz::Tz::UTC,
            overrides: Overrides::NONE,
        }
    }
}

/// Each shipped sample that is JSON, and how mapping stands to parsing over all of a provider.
fn shipped(book: &Rulebook, around: &Around, rounds: usize) -> Vec<String> {
    let mut all: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    println!(
        "sample                                             items  parse ns    map ns   ns/item  map/parse"
    );
    for name in samples::names() {
        let (provider, case) = name.split_once('/').expect("a provider and a case");
        let sample = samples::sample(provider, case).expect("the sample has a name");
        let (Some(mapping), Ok(payload)) =
            (book.get(provider), serde_json::from_slice::<Value>(&sample.body))
        else {
            continue;
        };
        let Cost { parsing, mapping, items, .. } = cost(mapping, &payload, around, rounds);
        println!(
            "{name:<50} {items:>5} {parsing:>9.0} {mapping:>9.0} {:>9.0} {:>10.2}",
            mapping / items.max(1) as f64,
            mapping / parsing
        );
        let sum = all.entry(provider.to_owned()).or_default();
        *sum = (sum.0 + parsing, sum.1 + mapping);
    }
    let ratio = |(provider, (parsing, mapping)): (String, (f64, f64))| {
        row(17, &format!("mapping / parsing, all samples of {provider}"), mapping / parsing, 1.0)
    };
    all.into_iter().map(ratio).collect()
}

/// What a payload costs: the lower quartile of the rounds, which neighbours disturb least.
fn cost(mapping: &Mapping, payload: &Value, around: &Around, rounds: usize) -> Cost {
    let text = payload.to_string();
    let input = around.input(payload);
    let items = match mapping.apply(&input) {
        Reading::Items(items) => items.len(),
        Reading::Ignored(_) | Reading::NoVariant(_) => 0,
    };
    let parse = || drop(black_box(serde_json::from_str::<Value>(black_box(&text))));
    let map = || drop(black_box(mapping.apply(black_box(&input))));
    let live = || drop(black_box(mapping.apply_live(black_box(&input))));
    // In turn, so that a noisy moment hits all three.
    let (mut parsings, mut mappings, mut lives) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        parsings.push(timed(&parse));
        mappings.push(timed(&map));
        lives.push(timed(&live));
    }
    let (parsing, mapping) = (quartile(&mut parsings), quartile(&mut mappings));
    Cost { parsing, mapping, live: quartile(&mut lives), items }
}

/// How long something takes, in nanoseconds, over a round.
fn timed(run: &dyn Fn()) -> f64 {
    let watch = Stopwatch::start();
    run();
    let once = watch.elapsed().as_secs_f64() * 1e9;
    let mut turns = 1;
    while f64::from(turns) * once < ROUND && turns < 20_000 {
        turns *= 2;
    }
    let watch = Stopwatch::start();
    for _ in 0..turns {
        run();
    }
    watch.elapsed().as_secs_f64() * 1e9 / f64::from(turns)
}

fn quartile(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 4]
}

/// A budget, and what was reached.
fn row(number: u8, what: &str, measured: f64, most: f64) -> String {
    let verdict = if measured <= most { "met" } else { "MISSED" };
    format!("{number:>3}  {what:<66} {measured:>8.2}  <= {most:<7.2} {verdict}")
}
