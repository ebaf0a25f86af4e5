//! Plugins with a script: what it makes becomes events, what it must not do fails one delivery and nothing else.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House};

/// A script that does as it is told, and whose plugin knows no signature of its own.
const SCRIPT: &str = r#"
const deeds = {
  loop: () => { while (true) {} },
  memory: () => { const all = []; while (true) all.push(new Array(1000).fill(all.length)); },
  doubling: () => { let s = "x"; while (true) s += s; },
  regex: () => /^(a+)+$/.test("a".repeat(50) + "b"),
  recursion: () => { const f = () => f() + 1; return f(); },
  eval: () => eval("1"),
  function: () => (() => 1).constructor("return 1")(),
  clock: () => Date.now(),
  promise: async () => { await new Promise(() => 1); },
  huge: () => ["x".repeat(5e6)],
  cyclic: () => { const a = []; a.push(a); return a; },
  getter: () => [{ get event_key() { while (true) {} } }],
  bigint: () => [{ event_key: 1n }],
  words: () => "words",
  nothing: () => undefined,
};

export function handshake(req) {
  if (req.query.challenge) return { body: req.query.challenge, headers: { "X-Answer": "42" } };
  if (req.body?.confirm) return { confirm: req.body.confirm, reason: "it wants to be confirmed" };
  return null;
}

export function verify(req) {
  return req.secrets.some((secret) => mill.same(mill.hmac("sha256", secret, req.raw), req.headers["x-sign"] ?? ""));
}

export function map(req) {
  if (req.secrets !== undefined) return "secrets";
  const did = globalThis.did ?? [];
  globalThis.did = ["something"];
  Array.prototype.tampered = true;
  if (req.body.do) return deeds[req.body.do]();
  if (req.body.test) return { ignore: "a test" };
  return req.body.keys.map((key) => ({
    event_key: key, severity: req.body.severity, title: `${key} of ${req.headers["x-from"]}`, additional_info: { did },
  }));
}
"#;

/// A house with the plugin `scripted`, whose directory can be changed.
async fn house() -> (House, tempfile::TempDir) {
    let overlay = tempfile::tempdir().unwrap();
    let directory = overlay.path().join("scripted");
    fs::create_dir_all(&directory).unwrap();
    fs::write(
        directory.join("plugin.yaml"),
        "title: Scripted\nconfirm_hosts: ['hooks\\.example\\.com']\n",
    )
    .unwrap();
    fs::write(directory.join("main.js"), SCRIPT).unwrap();
    (House::with(&["--plugins", overlay.path().to_str().unwrap()]).await, overlay)
}

async fn from(house: &House, hook: &Hook, body: &Value) -> Answer {
    house.deliver_bytes(hook, body.to_string().as_bytes(), &[("X-From", "afar")]).await
}

#[actix_web::test]
async fn what_a_script_makes_becomes_events() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("scripted").await;
    let answer = from(&house, &hook, &json!({ "keys": ["a", "b"], "severity": "CRITICAL" })).await;
    assert_eq!(
        (answer.status, answer.body["state"].as_str()),
        (200, Some("applied")),
        "{answer:?}"
    );
    let events = house.events(json!({})).await;
    let mut titles: Vec<_> = events.iter().map(|event| event["title"].as_str().unwrap()).collect();
    titles.sort_unstable();
    assert_eq!(titles, ["a of afar", "b of afar"]);
    let ignored = from(&house, &hook, &json!({ "test": true })).await;
    assert_eq!(ignored.body["ignored"], "a test");
}

#[actix_web::test]
async fn an_item_that_a_script_made_wrong_fails_alone() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("scripted").await;
    let answer = from(&house, &hook, &json!({ "keys": ["a", ""], "severity": "WARNING" })).await;
    assert_eq!(answer.body["state"], "partial", "{answer:?}");
    assert_eq!(answer.body["items"][1]["file"], "plugins/scripted/main.js");
    let answer = from(&house, &hook, &json!({ "keys": ["c"], "severity": "DREADFUL" })).await;
    assert!(answer.body["items"][0]["why"].as_str().unwrap().contains("DREADFUL"), "{answer:?}");
}

#[actix_web::test]
async fn what_a_script_must_not_do_fails_one_delivery_and_the_next_is_clean() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("scripted").await;
    for (number, (deed, why)) in [
        ("loop", "stopped after 50 ms of computing"),
        ("memory", "stopped"),
        ("doubling", "string too long"),
        ("regex", "stopped after 50 ms of computing"),
        ("recursion", "Maximum call stack size exceeded"),
        ("eval", "code that arrives as text is not run"),
        ("function", "code that arrives as text is not run"),
        ("clock", "there is no clock"),
        ("promise", "it returned a promise"),
        ("huge", "more than 4 MB of JSON"),
        ("cyclic", "circular reference"),
        ("getter", "stopped after 50 ms of computing"),
        ("bigint", "BigInt"),
        ("words", "`map` returned a text"),
        ("nothing", "`map` returned nothing"),
        ("unknown", "TypeError"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = from(&house, &hook, &json!({ "do": deed })).await;
        assert_eq!((answer.status, answer.body["state"].as_str()), (202, Some("dead")), "{deed}");
        let item = &answer.body["items"][0];
        assert!(item["why"].as_str().unwrap().contains(why), "{deed}: {item}");
        assert_eq!(item["file"], "plugins/scripted/main.js");

        let key = format!("after-{number}");
        let clean = from(&house, &hook, &json!({ "keys": [key], "severity": "INFO" })).await;
        assert_eq!(clean.body["state"], "applied", "{deed}: {clean:?}");
        let events = house.events(json!({ "event_key": key })).await;
        assert_eq!(events[0]["additional_info"]["did"], json!([]), "{deed}");
    }
}

#[actix_web::test]
async fn a_delivery_that_a_script_failed_on_is_read_again_once_it_is_mended() {
    let (mut house, overlay) = house().await;
    let hook = house.webhook("scripted").await;
    let dead = from(&house, &hook, &json!({ "do": "loop", "keys": ["late"] })).await;
    let mended = SCRIPT.replace("if (req.body.do)", "if (false)");
    fs::write(overlay.path().join("scripted/main.js"), mended).unwrap();
    house.reopen().await;
    let path = format!("/api/v1/deliveries/{}/redrive", dead.body["receipt_id"].as_str().unwrap());
    let done = house.post(&path, json!({})).await;
    assert_eq!((done.status, done.body["state"].as_str()), (200, Some("applied")), "{done:?}");
    assert_eq!(house.alerts(json!({ "event_key": "late" })).await[0]["state"], "TRIGGERED");
}

#[actix_web::test]
async fn a_script_answers_questions_and_checks_signatures() {
    let (house, _overlay) = house().await;
    let hook = house.webhook("scripted").await;
    let question = format!("{}?challenge=why", hook.path());
    let asked = actix_web::test::TestRequest::post().uri(&question).set_payload("{}");
    let answer = house.send(asked).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "why"));
    assert_eq!(answer.header("X-Answer"), Some("42"));
    for (address, why) in [
        (
            "https://evil.example.net/",
            "`evil.example.net` is none of the manifest's `confirm_hosts`",
        ),
        ("http://hooks.example.com/", "its address is not fetched"),
    ] {
        let answer = house.deliver(&hook, &json!({ "confirm": address })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let kept = house.admin().found("/api/v1/deliveries").await.to_string();
        assert!(kept.contains(why), "{why}: {kept}");
    }

    let options = json!({ "signing_secrets": ["key"] });
    let update = json!({ "webhook_id": hook.webhook_id, "options": options });
    house.done("/monitoring/v1/webhook/update", update).await;
    let body = br#"{"event_key":"k","keys":["k"]}"#;
    let refused = house.deliver_bytes(&hook, body, &[("X-Sign", "00")]).await;
    assert_eq!((refused.status, refused.code()), (401, "ERROR_AUTHENTICATE_FAILURE"));
    let tag = alertmill::digest::hex(&alertmill::digest::hmac_sha256(b"key", body));
    let taken = house.deliver_bytes(&hook, body, &[("X-Sign", &tag)]).await;
    assert_eq!(taken.body["state"], "applied", "{taken:?}");
}
