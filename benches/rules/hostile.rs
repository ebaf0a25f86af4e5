//! Bodies of 1 MiB made to hurt, held against every shipped mapping.

use std::hint::black_box;

use alertmill::{clock::Stopwatch, rules::Rulebook};
use serde_json::Value;

use super::{Around, row};

/// How large the bodies are.
const SIZE: usize = 1 << 20;

/// How long reading one may take, in milliseconds.
const MOST: f64 = 50.0;

/// The worst that each body does to any mapping.
pub(super) fn rows(book: &Rulebook, around: &Around) -> Vec<String> {
    let mut rows = Vec::new();
    for (what, body) in bodies() {
        let watch = Stopwatch::start();
        // The decoder refuses what is nested deeper than 127.
        let payload: Value = serde_json::from_str(&body).expect("the body is JSON");
        let parsing = watch.elapsed().as_secs_f64() * 1e3;
        let (mut worst, mut whose) = (0.0, "");
        for provider in book.providers() {
            let Some(mapping) = book.get(provider) else { continue };
            let input = around.input(&payload);
            let watch = Stopwatch::start();
            drop(black_box(mapping.apply_live(&input)));
            let took = watch.elapsed().as_secs_f64() * 1e3;
            if took > worst {
                (worst, whose) = (took, provider);
            }
        }
        let what = format!("{what}, {whose}, ms (parsed in {parsing:.0})");
        rows.push(row(18, &what, worst, MOST));
    }
    rows
}

/// A list of one text over and over, as long as a body may be.
fn many(one: &str) -> String {
    let times = SIZE / (one.len() + 1);
    format!("[{}]", vec![one; times].join(","))
}

/// The same value wherever mappings look.
fn everywhere(value: &str) -> String {
    let places = ["alerts", "events", "labels", "Message", "records", "data"];
    let fields: Vec<String> = places.iter().map(|place| format!("\"{place}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn bodies() -> Vec<(&'static str, String)> {
    let key = "k".repeat(8000);
    let deep = format!("{}1{}", format!("{{\"{key}\":").repeat(126), "}".repeat(126));
    let wide: Vec<String> = (0..SIZE / 12).map(|number| format!("\"k{number}\":1")).collect();
    let wide = format!("{{{}}}", wide.join(","));
    let twice = format!("{{{}}}", vec!["\"alerts\":[{}]"; SIZE / 14].join(","));
    let long = "[".repeat(SIZE / 2);
    let little = r#"{"fingerprint":"f","status":"firing"}"#;
    let alerts = vec![little; 12_000].join(",");
    let share = format!(
        "{{\"alerts\":[{alerts}],\"commonLabels\":{{\"alertname\":\"{long}\",\"severity\":\"{long}\"}},\"title\":\"{long}\"}}"
    );
    vec![
        ("deep", deep.clone()),
        ("deep everywhere", everywhere(&format!("[{}1{}]", "[".repeat(120), "]".repeat(120)))),
        ("wide object", wide.clone()),
        ("wide labels", format!("{{\"alerts\":[{{\"fingerprint\":\"f\",\"labels\":{wide}}}]}}")),
        ("empty items", format!("{{\"alerts\":{}}}", many("{}"))),
        ("numbers for items", format!("{{\"alerts\":{}}}", many("1"))),
        ("a list at the top", many("{}")),
        ("one name twice", twice),
        ("a long text", everywhere(&format!("\"{}\"", "a ".repeat(SIZE / 12)))),
        ("bait for patterns", everywhere(&format!("\"{}\"", "[OK] ".repeat(SIZE / 30)))),
        ("JSON in a text", format!("{{\"Message\":\"{}\"}}", "[".repeat(SIZE))),
        ("much that items share", share),
    ]
}
