//! A few thousand cases of what `fuzz/` does for hours: what every shipped provider posts, changed in every way that its
//! authors and others might think of, makes nothing panic, reads the same twice, and stays of a size with what came in.

use std::{collections::BTreeSet, path::Path, sync::LazyLock};

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
    let said =
        std::env::var_os("FUZZ_CASES").and_then(|cases| cases.into_string().ok()?.parse().ok());
    said.unwrap_or(40)
}

static SHELF: LazyLock<Shelf> =
    LazyLock::new(|| Shelf::read(Path::new(env!("CARGO_MANIFEST_DIR"))));

static BOOKS: LazyLock<Books> =
    LazyLock::new(|| Books::load(None, None).unwrap_or_else(|wrong| panic!("{wrong:#?}")));

#[test]
fn what_every_provider_posts_makes_nothing_panic_however_it_is_changed() {
    let (shelf, books) = (&*SHELF, &*BOOKS);
    let settings =
        Settings { time_zone: Some("America/St_Johns".to_owned()), counted: true, severity: None };
    let (mut events, mut dead, mut read) = (0, 0, BTreeSet::new());
    for name in books.plugins.names() {
        for case in 0..cases() {
            let begins = [name.as_bytes(), &case.to_be_bytes()].concat();
            let mut dice = Dice::new(&begins);
            // The name and the number are no choices, only what they begin with.
            dice.seal();
            let post = mutate::post(&mut dice, shelf, name);
            let seen = journey::check(books, name, &post, &settings).unwrap_or_else(|why| {
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
    let (shelf, books) = (&*SHELF, &*BOOKS);
    for (name, posts) in &shelf.posts {
        assert!(posts.len() > 5, "{name} has {} posts to begin with", posts.len());
        for post in posts {
            journey::check(books, name, post, &Settings::default())
                .unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }
}
