//! The sandbox: the examples of the documentation, what it says of mistakes, and its exit codes.

use std::{fs, path::Path, process::Command, sync::Arc};

use alertmill::{
    ingest::Books,
    lab::simulate::{Outcome, Scenario},
    load_error::LoadError,
};
use serde_json::Value;

/// What came of the only scenario of a file.
async fn outcome(text: &str) -> Result<Outcome, Vec<LoadError>> {
    let books = Arc::new(Books::load(None, None).unwrap());
    Scenario::read("x.yaml", text)?[0].run(&books).await
}

/// What is wrong with a file, each with its place.
async fn mistakes(text: &str) -> Vec<String> {
    let mistakes = outcome(text).await.unwrap_err();
    mistakes.iter().map(LoadError::sentence).collect()
}

/// What was not as expected.
async fn failures(text: &str) -> Vec<String> {
    let failures = outcome(text).await.unwrap().failures;
    let told = failures.iter().map(|one| format!("{}:{}: {}", one.line, one.column, one.detail));
    told.collect()
}

#[actix_web::test]
async fn the_examples_end_as_they_say() {
    let books = Arc::new(Books::load(None, None).unwrap());
    let mut files: Vec<_> =
        fs::read_dir("docs/examples").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 5, "{files:?}");
    let page = fs::read_to_string("docs/sandbox.md").unwrap();
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(page.contains(&format!("(examples/{name})")), "docs/sandbox.md has no {name}");
        let text = fs::read_to_string(&file).unwrap();
        for scenario in Scenario::read(name, &text).unwrap() {
            match scenario.run(&books).await {
                Ok(outcome) => wrong.extend(outcome.failures.into_iter().map(|one| one.told)),
                Err(mistakes) => wrong.extend(mistakes.iter().map(ToString::to_string)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn who_is_paged_how_often_and_who_hears_the_end() {
    let books = Arc::new(Books::load(None, None).unwrap());
    let text = include_str!("../data/scenarios/pages.yaml");
    let mut wrong = Vec::new();
    for scenario in Scenario::read("pages.yaml", text).unwrap() {
        match scenario.run(&books).await {
            Ok(outcome) => wrong.extend(outcome.failures.into_iter().map(|one| one.told)),
            Err(mistakes) => wrong.extend(mistakes.iter().map(ToString::to_string)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn what_the_api_refuses_is_told_where_it_stands() {
    let text = "config:\n  recovery_mode: AUTOMATIC\nsteps: []\n";
    assert!(mistakes(text).await[0].starts_with("x.yaml:2:"), "{:?}", mistakes(text).await);
    let text = "event_rules:\n  - conditions_policy: ALL\n    actions:\n      change_urgency: MID\nsteps: []\n";
    assert!(mistakes(text).await[0].starts_with("x.yaml:4:"), "{:?}", mistakes(text).await);
    let text = "silences:\n  - reason: x\n    filter: [{k: sevrity, v: ERROR, o: eq}]\n    end_time: +1h\nsteps: []\n";
    assert!(mistakes(text).await[0].starts_with("x.yaml:3:"), "{:?}", mistakes(text).await);
    let text = "config:\n  escalation_rules:\n    - {notification_level: LV99}\nsteps: []\n";
    assert!(mistakes(text).await[0].starts_with("x.yaml:3:"), "{:?}", mistakes(text).await);
}

#[actix_web::test]
async fn a_step_that_cannot_be_is_told_where_it_stands() {
    for (step, expected) in [
        ("deliver: {provider: alertmanger, body: {}}", "did you mean `alertmanager`?"),
        ("deliver: {provider: alertmanager, sample: nothing}", "has no sample `nothing`"),
        ("deliver: {body: {}}", "expected the `provider`"),
        ("{post: [], webhook: prod}", "there is no webhook `prod`"),
        ("advance_to: 2020-01-01T00:00:00Z", "time does not go back"),
        ("call: {silence.creat: {}}", "did you mean `silence.create`?"),
    ] {
        let told = mistakes(&format!("steps:\n  - {step}\n")).await;
        assert!(told[0].starts_with("x.yaml:2:") && told[0].contains(expected), "{told:?}");
    }
}

#[actix_web::test]
async fn a_step_that_is_refused_fails_unless_that_is_expected() {
    let step = "update_alert: {alert: 1, state: ACKNOWLEDGED}";
    let told = failures(&format!("steps:\n  - {step}\n")).await;
    assert_eq!(told, ["2:27: there is no such alert; so far there are 0"]);
    let expected = format!("steps:\n  - {{{step}, refused: no such alert}}\n");
    assert!(failures(&expected).await.is_empty());
    let told = failures("steps:\n  - {post: [{event_key: k}], refused: never}\n").await;
    assert!(told[0].contains("was expected to be refused"), "{told:?}");
}

#[actix_web::test]
async fn what_cannot_be_read_is_kept_as_an_error() {
    let text =
        "steps:\n  - post_unparsable: 'not JSON'\n  - expect: {requests: {total: 1, error: 1}}\n";
    let outcome = outcome(text).await.unwrap();
    assert!(outcome.passed, "{:?}", outcome.failures);
    assert_eq!((&outcome.alerts[0]["state"], outcome.alerts.len()), (&"ERROR".into(), 1));
}

#[actix_web::test]
async fn the_same_file_gives_the_same_each_time() {
    let text = fs::read_to_string("docs/examples/escalation.yaml").unwrap();
    let (one, other) = (outcome(&text).await.unwrap(), outcome(&text).await.unwrap());
    let shown = |outcome| serde_json::to_string(&outcome).unwrap();
    assert_eq!(shown(one), shown(other));
}

/// What the program says of these arguments.
fn said(room: &Path, args: &[&str]) -> (i32, String, String) {
    let program = env!("CARGO_BIN_EXE_alertmill");
    let output = Command::new(program).current_dir(room).arg("simulate").args(args).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_exit_code_tells_a_pipeline_what_came_of_it() {
    let room = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(room.path().join(name), text).unwrap();
    let posted =
        "name: a title\nsteps:\n  - post: [{event_key: k, title: Disk full, severity: ERROR}]\n";
    write("good.yaml", posted);
    write("bad.yaml", &format!("{posted}  - expect: {{alerts: []}}\n"));
    write("wrong.yaml", "stesp: []\n");
    let (code, out, err) = said(room.path(), &["good.yaml"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("#1") && out.contains("Disk full"), "{out}");
    let (code, _, err) = said(room.path(), &["bad.yaml"]);
    assert_eq!(code, 1);
    assert!(err.contains("bad.yaml:4:22: expected 0 alerts, got 1: #1"), "{err}");
    let (code, _, err) = said(room.path(), &["wrong.yaml"]);
    assert_eq!(code, 2);
    assert!(err.contains("wrong.yaml:1:1: `stesp` is not known"), "{err}");
    let (code, out, _) = said(room.path(), &["--json", "good.yaml", "bad.yaml"]);
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["passed"]), (1, &Value::Bool(false)));
    assert_eq!(answer["scenarios"][1]["failures"][0]["line"], 4);
}
