//! What it costs to read a payload by a script: a delivery of the shipped provider that has one, from its bytes to events.

use std::hint::black_box;

use alertmill::{clock::Stopwatch, ingest::Books, lab::posted::Posted, rules::samples};

/// What was measured, and its nanoseconds.
pub(crate) type Row = (&'static str, f64);

/// The median cost of one delivery over so many rounds, of a script and of nothing but the thread and the context.
pub(crate) fn cost(rounds: usize) -> Vec<Row> {
    let books = Books::load(None, None).expect("the rules in the binary are right");
    let read = |case: &str| {
        let sample = samples::sample("opscruise", case).expect("the sample is shipped");
        let posted = Posted::new("opscruise", sample.body);
        let once = || {
            let watch = Stopwatch::start();
            for _ in 0..100 {
                drop(black_box(posted.read(black_box(&books))));
            }
            watch.elapsed().as_secs_f64() * 1e7
        };
        let mut measured: Vec<f64> = (0..rounds).map(|_| once()).collect();
        measured.sort_unstable_by(f64::total_cmp);
        measured[measured.len() / 2]
    };
    vec![
        ("a script that ends at once, ns a delivery", read("empty")),
        ("a script that takes an outline apart, ns a delivery", read("firing")),
    ]
}
