#![no_main]
use alertmill::{ingest::Books, rules::Rulebook};
use alertmill_fuzz::{
    gauge::{Counting, measured},
    shelf::Shelf,
};
#[global_allocator]
static COUNTING: Counting = Counting;
libfuzzer_sys::fuzz_target!(init: { costs(); std::process::exit(0) }, |_d: &[u8]| {});
fn costs() {
    let shelf = Shelf::read(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let mut rows = Vec::new();
    let mut keep = Vec::new();
    let (_b, t) = measured(|| Books::load(None, None).unwrap());
    println!("books {t:?}");
    for (p, text) in &shelf.mappings {
        let (m, took) = measured(|| Rulebook::restore(p, text));
        if let Ok(m) = m {
            keep.push(m);
            rows.push((took.memory, took.cpu, p, text.len()));
        }
    }
    rows.sort();
    for r in rows.iter().rev().take(12) {
        println!("{r:?}");
    }
    println!(
        "sum {} {:?}",
        rows.iter().map(|r| r.0).sum::<usize>(),
        rows.iter().map(|r| r.1).sum::<std::time::Duration>()
    );
    let rss = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(
        "{}",
        rss.lines()
            .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"))
            .collect::<Vec<_>>()
            .join(" ")
    );
}
