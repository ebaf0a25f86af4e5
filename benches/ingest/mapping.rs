//! What reading one alert costs, without server and store.

use std::{collections::BTreeMap, hint::black_box};

use alertmill::{
    clock::{Stopwatch, from_millis},
    rules::{Input, Overrides, Reading, Rulebook},
};
use serde_json::Value;

use super::{body::Body, machine::median};

const TURNS: u32 = 5000;

/// What one alert costs, in nanoseconds.
pub(crate) struct Cost {
    /// To parse its body as JSON.
    pub(crate) parsing: f64,
    /// To map it, and to forget the event again.
    pub(crate) mapping: f64,
}

/// What an alert costs in a body with so many of them: the median of `rounds` rounds.
pub(crate) fn cost(alerts: usize, rounds: usize) -> Cost {
    let book = Rulebook::embedded().expect("the mappings in the binary are right");
    let mapping = book.get("alertmanager").expect("there is a mapping for Alertmanager");
    let body = Body::of(alerts);
    let (headers, query) = (BTreeMap::new(), BTreeMap::new());
    let payload: Value = serde_json::from_slice(body.text()).expect("the body is JSON");
    let input = Input {
        payload: &payload,
        headers: &headers,
        query: &query,
        received_at: from_millis(1_767_225_600_000),
        zone: chrono_tz::Tz::UTC,
        overrides: Overrides::NONE,
    };
    assert!(is_understood(&mapping.apply(&input)));
    let (mut parsings, mut mappings) = (Vec::new(), Vec::new());
    let turns = TURNS / u32::try_from(alerts).unwrap_or(1);
    let each =
        |watch: &Stopwatch| watch.elapsed().as_secs_f64() * 1e9 / f64::from(turns) / alerts as f64;
    for _ in 0..rounds {
        let watch = Stopwatch::start();
        for _ in 0..turns {
            black_box(serde_json::from_slice::<Value>(black_box(body.text())).is_ok());
        }
        parsings.push(each(&watch));
        let watch = Stopwatch::start();
        for _ in 0..turns {
            black_box(mapping.apply(black_box(&input)));
        }
        mappings.push(each(&watch));
    }
    Cost { parsing: median(&parsings), mapping: median(&mappings) }
}

fn is_understood(reading: &Reading) -> bool {
    match reading {
        Reading::Items(items) => items.iter().all(Result::is_ok),
        Reading::Ignored(_) | Reading::NoVariant(_) => false,
    }
}
