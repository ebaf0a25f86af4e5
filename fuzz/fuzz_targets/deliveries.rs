//! Whatever is posted to whichever plugin: no panic, the same twice, with and without origins, in bounded time and memory.

#![no_main]

use std::{
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use alertmill::{domain::words::Severity, ingest::Books};
use alertmill_fuzz::{
    dice::Dice,
    gauge::{Counting, Took, measured},
    journey::{Settings, arrived, check, once},
    mutate::post,
    shelf::Shelf,
};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static COUNTING: Counting = Counting;

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Shelf::read(&root)
});

static BOOKS: LazyLock<Books> = LazyLock::new(|| {
    let books = Books::load(None, None).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    // Mappings are compiled when they are first asked for, which is no delivery's own time.
    for provider in books.rulebook.providers() {
        assert!(books.rulebook.get(provider).is_some(), "{provider}");
    }
    books
});

/// How long a delivery may take. The build that is fuzzed counts every branch and checks every sum; the one that is shipped
/// takes about a third of the time.
const LONGEST: Duration = Duration::from_millis(750);

/// How much memory a delivery may take beyond a multiple of its size.
const MEMORY: usize = 96 << 20;

const ZONES: [&str; 4] = ["Asia/Seoul", "Europe/Berlin", "America/St_Johns", "Nowhere"];

/// The most that a case took so far: microseconds, bytes.
static MOST: [AtomicUsize; 2] = [AtomicUsize::new(5_000), AtomicUsize::new(1 << 20)];

/// Tells what takes more than anything before it.
fn note(name: &str, took: Took, size: usize) {
    let micros = usize::try_from(took.cpu.as_micros()).unwrap_or(usize::MAX);
    for (most, found) in MOST.iter().zip([micros, took.memory]) {
        if most.fetch_max(found, Relaxed) < found {
            eprintln!("MOST {name}: {took:?} for {size} bytes");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (shelf, books) = (&*SHELF, &*BOOKS);
    let mut dice = Dice::new(bytes);
    let names: Vec<&str> = books.plugins.names().collect();
    let name = *dice.of(&names);
    let settings = Settings {
        time_zone: dice.one_in(4).then(|| (*dice.of(&ZONES)).to_owned()),
        severity: dice
            .one_in(8)
            .then(|| (dice.of(&shelf.words).to_lowercase(), *dice.of(Severity::ALL))),
        counted: dice.one_in(8),
    };
    let post = post(&mut dice, shelf, name);
    let (delivery, webhook) = arrived(name, &post, &settings);
    let plugin = books.plugins.get(name).unwrap();

    let (_, took) = measured(|| once(books, (plugin, &webhook), &delivery));
    let size = post.body.len();
    note(name, took, size);
    let is_cheap =
        took.cpu <= LONGEST && took.wall <= 40 * LONGEST && took.memory <= 200 * size + MEMORY;
    let seen = if is_cheap {
        check(books, name, &post, &settings).map(drop)
    } else {
        Err(format!("{took:?} for {size} bytes"))
    };
    if let Err(complaint) = seen {
        let body = String::from_utf8_lossy(&post.body).chars().take(4000).collect::<String>();
        panic!("{name}: {complaint:.2000}\n{:?} {:?}\n{body}", post.headers, post.query);
    }
});
