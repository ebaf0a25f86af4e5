//! Drafts of an invented sender, and of every sample that is shipped.

use serde_json::json;

use super::*;
use crate::{
    ingest::Books,
    lab::samples::{Shelf, Update, Verdict, check_samples},
    plugins::PluginBook,
    rules::{Rulebook, check, samples as shipped},
};

fn posted(name: &str, body: &Value) -> Posted {
    Posted { name: format!("{name}.json"), body: body.to_string().into_bytes() }
}

/// What the sender of the tests posts about one problem.
fn notice(send: &str, items: &[Value]) -> Value {
    let inner = json!({ "site": "eu-1", "notices": items });
    json!({ "delivery_id": send, "version": 3, "body": inner.to_string() })
}

fn item(problem: &str, phase: &str, host: &str, ms: &str) -> Value {
    json!({
        "problem_ref": problem,
        "phase": phase,
        "grade": if host == "web-1" { "sev1" } else { "minor" },
        "headline": format!("Disk of {host} is full"),
        "details": format!("The disk of {host} has been full for ten minutes.\nSee the dashboard."),
        "labels": [{ "key": "host", "value": host }, { "key": "team", "value": "web" }],
        "raised_ms": ms,
        "seq_uuid": format!("0e0f{ms}-aaaa"),
        "dashboard": "https://dash.example.com/d/7",
    })
}

fn invented() -> Vec<Posted> {
    vec![
        posted(
            "firing",
            &notice("a1b2c3d4-0001", &[item("pr-77", "triggered", "web-1", "1767225600000")]),
        ),
        posted(
            "resolved",
            &notice("a1b2c3d4-0002", &[item("pr-77", "recovered", "web-1", "1767229200000")]),
        ),
        posted(
            "mixed",
            &notice(
                "a1b2c3d4-0003",
                &[
                    item("pr-78", "triggered", "web-2", "1767225700000"),
                    item("pr-79", "recovered", "web-3", "1767225800000"),
                ],
            ),
        ),
    ]
}

fn file<'d>(drafted: &'d Drafted, end: &str) -> &'d str {
    let (_, bytes) = drafted.files.iter().find(|(path, _)| path.ends_with(end)).unwrap();
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn an_invented_sender_is_drafted_whole() {
    let drafted = draft("acme", &invented()).unwrap();
    insta::assert_snapshot!("acme_mapping", file(&drafted, "mapping.yaml"));
    insta::assert_snapshot!("acme_mixed", file(&drafted, "mixed.events.json"));
    assert_eq!(
        drafted.findings,
        [
            "`firing`: 1 event, 0 of them recoveries",
            "`resolved`: 1 event, 1 of them a recovery",
            "`mixed`: 2 events, 1 of them a recovery",
            "Proven: the recovery in `resolved` has the key of the problem in `firing`.",
            "Not proven: no sample shows the problem of the recovery in `mixed`.",
        ]
    );
    assert!(file(&drafted, "problems.yaml").contains("- [firing, resolved]"));
}

#[test]
fn the_same_samples_give_the_same_draft() {
    let (one, two) = (draft("acme", &invented()).unwrap(), draft("acme", &invented()).unwrap());
    assert_eq!(one.files, two.files);
}

#[test]
fn a_form_is_drafted_as_one() {
    let body = b"alert_id=17&status=DOWN&host=web-1&subject=Web+is+down&at=1767225600".to_vec();
    let drafted = draft("forms", &[Posted { name: "down".to_owned(), body }]).unwrap();
    assert!(file(&drafted, "plugin.yaml").contains("form: {}"));
    assert!(file(&drafted, "down.events.json").contains("\"event_key\": \"17\""));
    settled(&drafted);
}

#[test]
fn what_cannot_be_drafted_is_said() {
    let none = draft("x", &[posted("empty", &json!({}))]).unwrap_err();
    assert!(matches!(none, DraftError::Nothing));
    assert!(matches!(draft("X y", &[]), Err(DraftError::Name(_))));
    let text = Posted { name: "a.txt".to_owned(), body: b"hello world".to_vec() };
    let error = draft("x", &[text]).unwrap_err().to_string();
    assert!(error.starts_with("`a.txt` is neither JSON nor a web form"), "{error}");
}

/// Writes a draft down and holds it to what the commands hold rules to.
fn settled(drafted: &Drafted) {
    let dir = tempfile::tempdir().unwrap();
    for (path, bytes) in &drafted.files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let rules = dir.path().join("rules");
    let text = file(drafted, "mapping.yaml");
    let texts = [(drafted.provider.clone(), text.to_owned())];
    let rulebook =
        Rulebook::from_texts(texts).unwrap_or_else(|errors| panic!("{errors:#?}\n{text}"));
    let manifest = file(drafted, "plugin.yaml");
    let plugins = PluginBook::default().with_text(&drafted.provider, manifest).unwrap();
    let books = Books { rulebook, plugins, ..Books::default() };
    let warnings = check::check(&drafted.provider, "m.yaml", text).unwrap();
    let said = text.lines().filter(|line| line.starts_with("# `rules check` warns")).count();
    assert!(warnings.is_empty() || said > 0, "{warnings:#?}\n{text}");
    let results = check_samples(&Shelf::Directory(rules), &books, Update::Compare).unwrap();
    for result in &results {
        assert_eq!(result.verdict, Verdict::Holds, "{result}\n{text}");
    }
    assert!(!results.is_empty());
}

#[test]
fn every_shipped_sample_and_every_set_of_them_is_drafted_clean() {
    let mut providers: BTreeMap<String, Vec<Posted>> = BTreeMap::new();
    for name in shipped::names() {
        let (provider, case) = name.split_once('/').unwrap();
        let sample = shipped::sample(provider, case).unwrap();
        let one = Posted { name: case.to_owned(), body: sample.body };
        match draft("alone", std::slice::from_ref(&one)) {
            Ok(drafted) => settled(&drafted),
            Err(DraftError::Nothing | DraftError::Unreadable { .. }) => continue,
            Err(error) => panic!("{name}: {error}"),
        }
        providers.entry(provider.to_owned()).or_default().push(one);
    }
    for (provider, posted) in providers {
        match draft("together", &posted) {
            Ok(drafted) => settled(&drafted),
            Err(DraftError::Unreadable { .. }) => {}
            Err(error) => panic!("{provider}: {error}"),
        }
    }
}

#[test]
fn a_list_of_what_happens_is_taken_whatever_it_is_called() {
    let thing = |at: &str, what: &str| json!({ "zt": at, "qv": what, "n": 3 });
    let all = [thing("2026-01-01T00:00:00Z", "a"), thing("2026-01-01T00:01:00Z", "b")];
    let drafted = draft("x", &[posted("two", &json!({ "w": 1, "xs": all }))]).unwrap();
    assert!(
        file(&drafted, "mapping.yaml").contains("each: $.xs[*]"),
        "{}",
        file(&drafted, "mapping.yaml")
    );
    assert!(drafted.warnings.is_empty(), "{:?}", drafted.warnings);
    settled(&drafted);
}

#[test]
fn a_list_that_is_passed_over_is_warned_of_and_taken_where_a_person_says_so() {
    let part = |name: &str| json!({ "part": name, "torque": 3, "ok": false });
    let body = json!({ "id": "a-1", "status": "firing", "parts": [part("m4"), part("m5")] });
    let posts = [posted("two", &body)];
    let drafted = draft("x", &posts).unwrap();
    assert!(!file(&drafted, "mapping.yaml").contains("each:"));
    let warning = "`$.parts` is a list of like objects in `two`, and the draft makes one event of each post; if each of them \
                   is a problem of its own, draft again with `--each '$.parts[*]'`";
    assert_eq!(drafted.warnings, [warning]);
    let said = draft_each("x", &posts, Some("$.parts[*]")).unwrap();
    assert!(file(&said, "mapping.yaml").contains("each: $.parts[*]"));
    assert!(said.findings[0].starts_with("`two`: 2 events"), "{:?}", said.findings);
    assert!(said.warnings.is_empty());
    let wrong = draft_each("x", &posts, Some("$.id")).unwrap_err();
    assert!(matches!(wrong, DraftError::NoList(_)), "{wrong}");
}

#[test]
fn what_a_sender_numbers_and_links_is_a_key_whatever_it_is_called() {
    let notice = |episode: &str, room: &str, at: &str, word: &str| {
        let detail =
            json!({ "episode": episode, "panel": format!("https://v.example/e/{episode}") });
        json!({ "wax": word, "at": at, "room": room, "detail": detail.to_string() })
    };
    let post = |notices: &[Value]| json!({ "seq": 4, "notices": notices });
    let posts = [
        posted("one", &post(&[notice("ep-7731", "K7", "2026-01-01T00:00:00Z", "on")])),
        posted("end", &post(&[notice("ep-7731", "K7", "2026-01-01T01:00:00Z", "off")])),
        posted(
            "two",
            &post(&[
                notice("ep-7735", "D2", "2026-01-01T02:00:00Z", "on"),
                notice("ep-7702", "K7", "2026-01-01T02:01:00Z", "off"),
            ]),
        ),
    ];
    let drafted = draft("x", &posts).unwrap();
    let text = file(&drafted, "mapping.yaml");
    assert!(text.contains("each: $.notices[*]"), "{text}");
    assert!(text.contains("event_key: $detail.episode"), "{text}");
    assert!(file(&drafted, "problems.yaml").contains("- [one, end]"));
    settled(&drafted);
}
