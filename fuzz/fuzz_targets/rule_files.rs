//! Whatever stands in a rule file or a manifest: no panic, and an answer in bounded time and memory. What is taken must
//! read samples in bounded time, too.

#![no_main]

use std::{fs, path::Path, sync::LazyLock, time::Duration};

use alertmill::{
    ingest::Books,
    plugins::PluginBook,
    rules::{Rulebook, check::check},
};
use alertmill_fuzz::{
    dice::Dice,
    gauge::{Counting, measured},
    journey::{self, Settings, arrived, once},
    mutate::post,
    shelf::Shelf,
    texts::text,
};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static COUNTING: Counting = Counting;

static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    Shelf::read(&root)
});

static BOOKS: LazyLock<Books> =
    LazyLock::new(|| Books::load(None, None).unwrap_or_else(|wrong| panic!("{wrong:#?}")));

/// How long one text may take. Patterns are compiled once, and some take their time.
const LONGEST: Duration = Duration::from_millis(1_500);

const MEMORY: usize = 256 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut dice = Dice::new(bytes);
    if dice.one_in(5) { manifest(&mut dice) } else { mapping(&mut dice) }
});

fn mapping(dice: &mut Dice<'_>) {
    let shelf = &*SHELF;
    let providers: Vec<&str> = shelf.mappings.keys().map(String::as_str).collect();
    let provider = *dice.of(&providers);
    let own = std::iter::once(&shelf.mappings[provider]);
    let mut changed = if dice.one_in(4) {
        text(dice, shelf, shelf.mappings.values())
    } else {
        text(dice, shelf, own)
    };
    let extends = dice.one_in(6);
    if extends {
        changed.insert_str(0, "extend: other\n");
    }
    let (book, took) = measured(|| {
        let _ = check(provider, "x.yaml", &changed);
        let _ = Rulebook::restore(provider, &changed);
        let mut texts = vec![(provider.to_owned(), changed.clone())];
        if extends {
            texts.push(("other".to_owned(), shelf.mappings[provider].clone()));
        }
        Rulebook::from_texts(texts)
    });
    assert!(took.cpu <= LONGEST && took.memory <= MEMORY, "{took:?}\n{changed}");
    let mapping = match book {
        Err(wrong) => {
            assert!(!wrong.is_empty(), "refused without a reason:\n{changed}");
            assert!(wrong.iter().all(|one| !one.to_string().is_empty()));
            return;
        }
        Ok(book) => book.get(provider).cloned().unwrap(),
    };
    let again = Rulebook::restore(provider, mapping.text()).unwrap_or_else(|wrong| {
        panic!("what is kept of a mapping cannot be read again: {wrong:#?}\n{changed}")
    });
    assert_eq!(again.version(), mapping.version());
    // It reads what the provider's plugin decodes, which has the provider's name.
    if !shelf.posts.contains_key(provider) {
        return;
    }
    let posted = post(dice, shelf, provider);
    let books =
        Books { rulebook: BOOKS.rulebook.with(provider, mapping), plugins: PluginBook::default() };
    let Some(plugin) = BOOKS.plugins.get(provider) else { return };
    let (delivery, webhook) = arrived(provider, &posted, &Settings::default());
    let (_, took) = measured(|| once(&books, (plugin, &webhook), &delivery));
    assert!(took.cpu <= LONGEST && took.memory <= MEMORY, "{took:?}\n{changed}");
}

fn manifest(dice: &mut Dice<'_>) {
    let shelf = &*SHELF;
    let changed = text(dice, shelf, shelf.manifests.values());
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    fs::create_dir(directory.path().join("mine")).unwrap();
    fs::write(directory.path().join("mine/plugin.yaml"), &changed).unwrap();
    let (book, took) = measured(|| PluginBook::load(Some(directory.path())));
    assert!(took.cpu <= LONGEST && took.memory <= MEMORY, "{took:?}\n{changed}");
    let plugins = match book {
        Ok(plugins) => plugins,
        Err(wrong) => {
            assert!(!wrong.is_empty(), "refused without a reason:\n{changed}");
            return;
        }
    };
    let names: Vec<&String> = shelf.posts.keys().collect();
    let name = *dice.of(&names);
    let posted = post(dice, shelf, name);
    let books = Books { rulebook: BOOKS.rulebook.clone(), plugins };
    let complaint = measured(|| journey::check(&books, "mine", &posted, &Settings::default()));
    let (Ok(_), took) = complaint else { panic!("{:?}\n{changed}", complaint.0) };
    assert!(took.cpu <= 4 * LONGEST && took.memory <= MEMORY, "{took:?}\n{changed}");
}
