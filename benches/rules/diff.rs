//! How many deliveries a second two sets of rules are compared over, without a store.

use std::sync::Arc;

use alertmill::{
    clock::Stopwatch,
    ingest::Books,
    lab::{
        diff::{Again, Differ},
        posted::Posted,
    },
    rules::samples,
};

/// How many deliveries a page has, as the server reads them.
const PAGE: usize = 512;

/// Deliveries a second, read by both rules on all cores: every JSON sample of a provider in turn, `deliveries` in all.
pub(crate) fn rate(provider: &str, deliveries: usize) -> f64 {
    let books = || Arc::new(Books::load(None, None).expect("the rules in the binary are right"));
    let start = format!("{provider}/");
    let page: Vec<Again> = samples::names()
        .iter()
        .filter_map(|name| samples::sample(provider, name.strip_prefix(&start)?))
        .filter_map(|sample| Posted::sample(provider, sample.body, sample.request).ok())
        .map(|posted| Again { webhook: Arc::new(posted.webhook()), delivery: posted.delivery() })
        .cycle()
        .take(PAGE)
        .collect();
    let mut differ = Differ::new(books(), books());
    let watch = Stopwatch::start();
    for _ in 0..deliveries.div_ceil(PAGE) {
        differ.add(&page);
    }
    let seconds = watch.elapsed().as_secs_f64();
    let read = differ.deliveries();
    assert!(differ.finish().is_empty(), "the same rules change nothing");
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let read = read as f64;
    read / seconds
}
