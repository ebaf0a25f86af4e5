//! A few thousand cases of what `fuzz/` does for hours: what every shipped provider posts, changed in every way that its
//! authors and others might think of, makes nothing panic, reads the same twice, and stays of a size with what came in.

use std::{collections::BTreeSet, path::Path};

use alertmill::ingest::Books;

#[path = "../../fuzz/src/dice.rs"]
mod dice;
#[path = "../../fuzz/src/journey.rs"]
mod journey;
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../fuzz/src/shelf.rs"]
mod shelf;

use self::{dice::Dice, journey::Settings, shelf::Shelf};

/// How often each plugin is posted to; `FUZZ_CASES=100000` for a longer look without another toolchain.
fn cases() -> u32 {
    let said = std::env::var("FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    said.unwrap_or(100)
}

fn shelf() -> Shelf {
    Shelf::read(Path::new(env!("CARGO_MANIFEST_DIR")))
}

fn books() -> Books {
    Books::load(None, None).unwrap_or_else(|wrong| panic!("{wrong:#?}"))
}

#[test]
fn what_every_provider_posts_makes_nothing_panic_however_it_is_changed() {
    let (shelf, books) = (shelf(), books());
    let settings =
        Settings { time_zone: Some("America/St_Johns".to_owned()), ..Settings::default() };
    let (mut events, mut dead, mut read) = (0, 0, BTreeSet::new());
    for name in books.plugins.names() {
        for case in 0..cases() {
            let seed = [name.as_bytes(), &case.to_be_bytes()].concat();
            let mut dice = Dice::new(&seed);
            // The name and the number are no choices, only what they begin with.
            dice.seal();
            let post = mutate::post(&mut dice, &shelf, name);
            let seen = journey::check(&books, name, &post, &settings).unwrap_or_else(|why| {
                let body = String::from_utf8_lossy(&post.body).into_owned();
                panic!("{name}, case {case}: {why:.1000}\n{:?}\n{body:.4000}", post.headers)
            });
            events += seen.events;
            dead += seen.dead;
            read.extend((seen.events > 0).then_some(name));
        }
    }
    // What is only refused proves little.
    let all = books.plugins.names().count();
    assert!(read.len() * 10 > all * 9, "only {read:?} of {all} became events");
    assert!(events * 2 > dead, "{events} events, {dead} that are none");
}

#[test]
fn what_every_provider_posts_is_read_as_it_stands() {
    let (shelf, books) = (shelf(), books());
    for (name, posts) in &shelf.posts {
        assert!(posts.len() > 5, "{name} has {} posts to begin with", posts.len());
        for post in posts {
            journey::check(&books, name, post, &Settings::default())
                .unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}

#[test]
fn tmp_amplify() {
    let (shelf, books) = (shelf(), books());
    let mut bad = Vec::new();
    for (name, posts) in &shelf.posts {
        for post in posts {
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(&post.body) else { continue };
            // each top-level/nested list widened to 300, each text swelled 10000 (outside of list)
            let mut v = value.clone();
            grow(&mut v, false);
            let body = v.to_string().into_bytes();
            if body.len() > 8 << 20 { continue }
            let size = body.len();
            let p = shelf::Post { body, ..post.clone() };
            let start = std::time::Instant::now();
            let (d, w) = journey::arrived(name, &p, &Settings::default());
            let (_, read) = journey::once(&books, (books.plugins.get(name).unwrap(), &w), &d);
            let ms = start.elapsed().as_millis();
            let total: usize = read.items.iter().flatten().map(|m| journey::draft_weight(&m.draft)).sum();
            bad.push((total / size, format!("{name} {} items {size} -> {total} in {ms} ms", read.items.len())));
        }
    }
    bad.sort();
    for (_, b) in bad.iter().rev().take(40) { println!("{b}"); }
}

fn grow(v: &mut serde_json::Value, in_list: bool) {
    match v {
        serde_json::Value::Array(items) => {
            for i in items.iter_mut() { grow(i, true); }
            if !in_list && !items.is_empty() { *items = items.iter().cycle().take(300).cloned().collect(); }
        }
        serde_json::Value::Object(f) => for i in f.values_mut() { grow(i, in_list) },
        serde_json::Value::String(s) if !in_list && s.len() < 100 && s.len() > 3 => { let x = s.clone(); s.push_str(" "); s.push_str(&x.repeat(5000 / x.len())); }
        _ => {}
    }
}
