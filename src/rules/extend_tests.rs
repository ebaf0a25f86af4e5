//! What a mapping that extends another becomes, and what is told where it cannot.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::json;

use crate::{
    clock::from_millis,
    domain::event::Mapped,
    load_error::LoadError,
    rules::{Input, Mapping, Overrides, Reading, Rulebook},
};

const BASE: &str = "\
title: Base
missing: ['^none$']
let:
  host: $.host
  name: $.name
events:
  - name: one
    when:
      $.kind: one
    set:
      event_key: $.id
      title: '{{ $name }} on {{ $host }}'
      severity: INFO
      rule: $.rule
  - name: other
    ignore: nothing to see
";

fn book(texts: &[(&str, &str)]) -> Result<Rulebook, Vec<LoadError>> {
    Rulebook::from_texts(texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())))
}

fn mapping(text: &str) -> Mapping {
    let book = book(&[("base", BASE), ("mine", text)]);
    let book = book.unwrap_or_else(|errors| panic!("{errors:#?}"));
    book.get("mine").unwrap().as_ref().clone()
}

fn mistakes(text: &str) -> String {
    let errors = book(&[("base", BASE), ("mine", text)]).unwrap_err();
    errors.iter().map(LoadError::sentence).collect::<Vec<_>>().join("\n")
}

fn read(mapping: &Mapping, payload: serde_json::Value) -> Mapped {
    let none = BTreeMap::new();
    let received_at = from_millis(1_767_225_600_000);
    let input = Input {
        payload: &payload,
        headers: &none,
        query: &none,
        received_at,
        zone: Tz::UTC,
        overrides: Overrides::NONE,
    };
    match mapping.apply_traced(&input) {
        Reading::Items(mut items) => items.pop().unwrap().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_said_stays_as_it_was() {
    let text = "\
extend: base
missing: ['^-$']
let:
  host: $.server
  site: $.site
events:
  - name: one
    set:
      severity: '{{ $.level | upper }}'
      account: $site
      rule: null
  - name: two
    when: {'$.kind': two}
    set: {event_key: $.key}
";
    let mapping = mapping(text);
    assert_eq!(mapping.title(), "Base");
    assert_eq!(mapping.variants().collect::<Vec<_>>(), ["two", "one", "other"]);
    let payload = json!({ "kind": "one", "id": 7, "name": "-", "server": "db", "host": "x", "site": "s", "level": "error", "rule": "r" });
    let Mapped { draft, variant, origins } = read(&mapping, payload);
    assert_eq!((variant.as_ref(), draft.event_key.as_str()), ("one", "7"));
    assert_eq!(draft.title.as_deref(), Some(" on db"));
    assert_eq!((draft.severity.as_str(), draft.account.as_deref()), ("ERROR", Some("s")));
    assert_eq!(draft.rule, None);
    let place = |field: &str| (origins[field].file.clone(), origins[field].line);
    assert_eq!(place("event_key"), ("base/mapping.yaml".to_owned(), 11));
    assert_eq!(place("severity"), ("mine/mapping.yaml".to_owned(), 9));
}

#[test]
fn a_variant_may_turn_into_its_opposite() {
    let text = "extend: base\nevents:\n  - name: one\n    ignore: not wanted\n  - name: other\n    set: {event_key: k}\n";
    let mapping = mapping(text);
    assert_eq!(mapping.variants().collect::<Vec<_>>(), ["one", "other"]);
    assert_eq!(read(&mapping, json!({})).draft.event_key, "k");
}

#[test]
fn the_stored_text_holds_both_files_and_their_digest_is_the_version() {
    let text = "extend: base\ntitle: Mine";
    let mine = mapping(text);
    let restored = Rulebook::restore("mine", mine.text()).unwrap();
    assert_eq!((restored.version(), restored.text()), (mine.version(), mine.text()));
    let payload = json!({ "kind": "one", "id": 7 });
    assert_eq!(read(&restored, payload.clone()), read(&mine, payload));
    let changed = BASE.replace("severity: INFO", "severity: ERROR");
    let book = book(&[("base", &changed), ("mine", text)]).unwrap();
    assert_ne!(book.get("mine").unwrap().version(), mine.version());
    assert_eq!(Rulebook::restore("base", BASE).unwrap().text(), BASE);
    let alone = Rulebook::restore("mine", text).unwrap_err();
    assert!(alone[0].detail.contains("does not stand with this text"), "{}", alone[0]);
}

#[test]
fn a_text_in_place_of_a_mapping_may_extend_one_of_the_book() {
    let text = "extend: base\ntitle: Mine\n";
    let known = book(&[("base", BASE)]).unwrap();
    let with = known.with_text("mine", text).unwrap();
    assert_eq!(with.get("mine").unwrap().text(), mapping(text).text());
    let unknown = known.with_text("mine", "extend: bose\n").unwrap_err();
    assert!(unknown[0].detail.ends_with("did you mean `base`?"), "{}", unknown[0]);
}

#[test]
fn a_chain_of_files_is_laid_one_over_the_other() {
    let book = book(&[
        ("a", "extend: b\nevents: [{name: one, set: {title: a}}]"),
        ("b", "extend: base\nevents: [{name: one, set: {title: b, description: b}}]"),
        ("base", BASE),
    ]);
    let draft = read(book.unwrap().get("a").unwrap(), json!({ "kind": "one", "id": 7 })).draft;
    assert_eq!((draft.title.as_deref(), draft.description.as_deref()), (Some("a"), Some("b")));
}

#[test]
fn a_directory_may_extend_the_shipped_mapping_of_its_own_name() {
    let shipped = Rulebook::embedded().unwrap();
    let name = shipped.providers().next().unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join(name)).unwrap();
    let file = directory.path().join(name).join("mapping.yaml");
    std::fs::write(&file, format!("extend: {name}\ntitle: Ours\n")).unwrap();
    let book = Rulebook::load(Some(directory.path())).unwrap();
    let (ours, theirs) = (book.get(name).unwrap(), shipped.get(name).unwrap());
    assert_eq!(ours.title(), "Ours");
    assert!(ours.variants().eq(theirs.variants()));
    assert!(ours.text().ends_with(theirs.text()));
    assert!(ours.text().contains(&format!("--- # base {name}/mapping.yaml (built in)\n")));
}

#[test]
fn mistakes_point_into_the_file_they_are_in() {
    let cases = [
        ("extend: bose\n", "mine/mapping.yaml:1:9: there is no mapping `bose` to extend"),
        ("extend: bose\n", "did you mean `base`?"),
        ("extend: mine\n", "there is no built-in mapping `mine`"),
        (
            "extend: [base]\n",
            "mine/mapping.yaml:1:9: `extend` is the name of a mapping, not a list",
        ),
        (
            "extend: base\nevents:\n  - name: oen\n    set: {title: x}\n",
            "mine/mapping.yaml:3:11: `base` has no variant `oen` to change, only `one` or `other`; a new one needs `set` with `event_key`, or `ignore`; did you mean `one`?",
        ),
        ("extend: base\nlet: {host: null}\n", "base/mapping.yaml:12:33: `$host` is no variable"),
        (
            "extend: base\nevents:\n  - name: one\n    set: {event_key: null}\n",
            "`event_key` is required",
        ),
        (
            "extend: base\nevents: [{name: one}, {name: one}]\n",
            "mine/mapping.yaml:2:23: `one` is changed before this already",
        ),
        ("extend: base\ntitel: x\n", "mine/mapping.yaml:2:1: a mapping has no `titel`"),
        ("extend: base\nevents: x\n", "mine/mapping.yaml:2:9: `events` is a list"),
    ];
    for (text, expected) in cases {
        let told = mistakes(text);
        assert!(told.contains(expected), "{text}\n{told}");
    }
    let round = book(&[("a", "extend: b\n"), ("b", "extend: a\n")]).unwrap_err();
    assert_eq!(round[0].sentence(), "b/mapping.yaml:1:9: mappings extend each other: a, b, a");
}
