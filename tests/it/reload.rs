//! Rules and plugins are loaded again while deliveries come in: all of them, or none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::Barrier,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    client::{Door, Server, eventually},
    harness::House,
};

/// How many senders post at once.
const CONNECTIONS: usize = 64;

/// How often the rules are swapped meanwhile.
const SWAPS: usize = 100;

/// Directories of rules and of plugins with one provider in them, `flip`.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        files.write("rules/flip/mapping.yaml", &marked(0));
        files.write("plugins/flip/plugin.yaml", "title: Flip\n");
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn flags(&self) -> [String; 4] {
        ["--rules".into(), self.path("rules"), "--plugins".into(), self.path("plugins")]
    }

    /// Writes a file as editors do: beside it, and then in its place.
    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_extension("swp");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    async fn house(&self) -> House {
        let flags = self.flags();
        House::with(&flags.each_ref().map(String::as_str)).await
    }

    fn server(&self) -> Server {
        let flags = self.flags();
        let mut flags = flags.each_ref().map(String::as_str).to_vec();
        flags.extend(["--durability", "normal"]);
        Server::start(&flags)
    }
}

/// A mapping that leaves its mark in three fields of each event.
fn marked(mark: usize) -> String {
    format!(
        r#"title: Flip
events:
  - name: items
    each: $.items[*]
    set:
      event_key: "@.key"
      title: "mark {mark}"
      rule: "mark {mark}"
      additional_info:
        fields: {{ mark: "mark {mark}" }}
"#
    )
}

fn body(key: &str) -> Value {
    json!({ "items": [{ "key": format!("{key}-a") }, { "key": format!("{key}-b") }] })
}

/// The mark of an event, which must be the same wherever it stands.
fn mark(event: &Value) -> usize {
    let mark = event["title"].as_str().unwrap();
    assert_eq!(event["rule"], mark, "{event}");
    assert_eq!(event["additional_info"]["mark"], mark, "{event}");
    mark.strip_prefix("mark ").unwrap().parse().unwrap()
}

/// Posts once in each round; whatever is posted must be understood.
fn post(server: &Server, door: &Door, round: &Barrier, sender: usize) {
    let mut connection = server.connect();
    for number in 1..=SWAPS {
        round.wait();
        let body = body(&format!("{sender}-{number}"));
        let answer = connection.post(&door.path, body.to_string().as_bytes()).unwrap();
        assert_eq!(answer.status, 200, "{:?}", answer.json());
        assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2);
        round.wait();
    }
}

#[test]
fn rules_are_swapped_under_load_and_no_reading_is_mixed() {
    let files = Files::new();
    let server = files.server();
    let door = server.webhook("flip", "flip");
    let round = Barrier::new(CONNECTIONS + 1);
    let live = |server: &Server| {
        let rules = server.get("/api/v1/rules").json();
        let all = rules["results"].as_array().unwrap().iter();
        let flip = all.clone().find(|row| row["provider"] == "flip").unwrap();
        flip["version"].as_str().unwrap().to_owned()
    };
    let mut versions = BTreeMap::from([(0, live(&server))]);
    thread::scope(|scope| {
        for sender in 0..CONNECTIONS {
            let (server, door, round) = (&server, &door, &round);
            scope.spawn(move || post(server, door, round, sender));
        }
        for number in 1..=SWAPS {
            files.write("rules/flip/mapping.yaml", &marked(number));
            round.wait();
            server.ask("/api/v1/rules/reload", &json!({}));
            versions.insert(number, live(&server));
            round.wait();
        }
    });
    assert_eq!(versions.values().collect::<BTreeSet<_>>().len(), SWAPS + 1);

    let only = ["event_id", "event_key", "title", "rule", "additional_info", "delivery_id"];
    let events = server.all("/monitoring/v1/event/list", &json!({ "only": only }));
    assert_eq!(events.len(), CONNECTIONS * SWAPS * 2);
    let (mut of_delivery, mut of_mark) = (BTreeMap::new(), BTreeMap::new());
    for event in &events {
        let (mark, key) = (mark(event), event["event_key"].as_str().unwrap());
        let round: usize = key.split('-').nth(1).unwrap().parse().unwrap();
        assert!(mark == round || mark + 1 == round, "{key} was read by {mark}");
        let first = of_delivery.entry(event["delivery_id"].to_string()).or_insert(mark);
        assert_eq!(*first, mark, "a delivery was read by two versions");
        of_mark.insert(mark, event["event_id"].as_str().unwrap());
    }
    assert!(of_mark.len() > SWAPS / 2, "only {} versions read anything", of_mark.len());
    for (mark, event_id) in of_mark {
        let explained = server.get(&format!("/api/v1/events/{event_id}/explain")).json();
        assert_eq!(explained["mapping"]["version"], json!(versions[&mark]), "{explained}");
        assert_eq!(explained["same"], true, "{explained}");
    }
}

const MISTAKEN: &str = r#"title: Flip
events:
  - name: items
    set:
      event_key: "$.key"
      titel: "$.title"
      severity: { map: 1 }
"#;

#[actix_web::test]
async fn rules_with_mistakes_are_refused_whole_and_told() {
    let files = Files::new();
    let house = files.house().await;
    let hook = house.webhook("flip").await;
    let before = house.get("/api/v1/rules").await.body["version"].clone();
    files.write("rules/flip/mapping.yaml", MISTAKEN);
    files.write("rules/other/mapping.yaml", &marked(7));

    let refused = house.post("/api/v1/rules/reload", json!({})).await;
    assert_eq!((refused.status, refused.code()), (422, "ERROR_RULES_REFUSED"));
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let refused = refused.body;
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains(before.as_str().unwrap()) && detail.contains("2 mistakes"), "{detail}");
    let places = refused["errors"].as_array().unwrap().iter();
    let places: Vec<_> = places
        .map(|error| (error["file"].as_str().unwrap(), error["line"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, [("flip/mapping.yaml", 6), ("flip/mapping.yaml", 7)], "{refused}");

    let rules = house.get("/api/v1/rules").await.body;
    assert_eq!((&rules["version"], &rules["refused"]["errors"]), (&before, &refused["errors"]));
    let all = rules["results"].as_array().unwrap();
    assert!(all.iter().all(|row| row["provider"] != "other"), "half of it was loaded");
    house.understood(&hook, &body("a")).await;
    let of_system = || json!({ "project_id": "system", "event_key": "alertmill:rules" });
    let alerts = house.alerts(of_system()).await;
    assert_eq!((alerts.len(), &alerts[0]["state"]), (1, &json!("TRIGGERED")));
    assert!(alerts[0]["description"].as_str().unwrap().contains("flip/mapping.yaml:6:"));

    files.write("rules/flip/mapping.yaml", &marked(8));
    let mended = house.done("/api/v1/rules/reload", json!({})).await;
    assert_eq!(mended["outcome"], "swapped", "{mended}");
    assert_eq!(mended["files"], json!(["rules/flip/mapping.yaml", "rules/other/mapping.yaml"]));
    assert_eq!(mended["mappings"], json!(all.len() + 1));
    assert!(house.get("/api/v1/rules").await.body["refused"].is_null());
    assert_eq!(house.alerts(of_system()).await[0]["state"], "RESOLVED");
    house.understood(&hook, &body("b")).await;
    assert_eq!(house.events(json!({ "event_key": "b-a" })).await[0]["title"], "mark 8");

    let again = house.done("/api/v1/rules/reload", json!({})).await;
    assert_eq!((&again["outcome"], &again["files"]), (&json!("unchanged"), &json!([])));
    let metrics = house.get("/metrics").await.text;
    for line in [
        "alertmill_rules_reloads_total{kind=\"refused\"} 1".to_owned(),
        "alertmill_rules_reloads_total{kind=\"swapped\"} 1".to_owned(),
        "alertmill_rules_reloads_total{kind=\"unchanged\"} 1".to_owned(),
        format!("alertmill_rules_loaded{{version={}}} 1", mended["version"]),
    ] {
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    let audited = house.get("/api/v1/audit?action=rules.reload").await.body;
    assert_eq!(audited["results"].as_array().unwrap().len(), 3, "{audited}");
}

#[actix_web::test]
async fn a_plugin_that_is_gone_is_missed_aloud_and_comes_back() {
    let files = Files::new();
    let house = files.house().await;
    let hook = house.webhook("flip").await;
    fs::remove_file(files.0.path().join("plugins/flip/plugin.yaml")).unwrap();
    let swapped = house.done("/api/v1/rules/reload", json!({})).await;
    let warning = swapped["warnings"][0].as_str().unwrap();
    assert!(warning.contains("`flip`") && warning.contains(&hook.webhook_id), "{warning}");
    assert_eq!(house.deliver(&hook, &body("a")).await.status, 503);

    files.write("plugins/flip/plugin.yaml", "title: Flip\n");
    house.done("/api/v1/rules/reload", json!({})).await;
    house.understood(&hook, &body("a")).await;
}

#[actix_web::test]
async fn only_an_administrator_reloads() {
    let house = House::new().await;
    let token = house.token("WORKSPACE_OWNER", json!({ "workspace_id": "default" })).await;
    let refused = house.as_token(token).post("/api/v1/rules/reload", json!({})).await;
    assert_eq!((refused.status, refused.code()), (403, "ERROR_PERMISSION_DENIED"));
}

/// Waits until the mapping that is live leaves this mark.
fn until_live(server: &Server, door: &Door, wanted: usize) {
    let (mut connection, mut tries) = (server.connect(), 0);
    eventually("the rules are swapped", || {
        tries += 1;
        let key = format!("try-{wanted}-{tries}");
        connection.post(&door.path, body(&key).to_string().as_bytes()).unwrap();
        let asked = json!({ "event_key": format!("{key}-a") });
        let found = server.ask("/monitoring/v1/event/list", &asked);
        (mark(&found["results"][0]) == wanted).then_some(())
    });
}

#[test]
fn changed_files_are_picked_up_by_themselves() {
    let files = Files::new();
    let server = files.server();
    let door = server.webhook("flip", "flip");
    files.write("rules/flip/mapping.yaml", &marked(1));
    until_live(&server, &door, 1);
    // In place, as `>` of a shell does.
    fs::write(files.0.path().join("rules/flip/mapping.yaml"), marked(2)).unwrap();
    until_live(&server, &door, 2);
    files.write("rules/flip/mapping.yaml", MISTAKEN);
    eventually("the refusal is told", || {
        let rules = server.get("/api/v1/rules").json();
        (!rules["refused"].is_null()).then_some(())
    });
    let told = server.log();
    assert!(
        told.contains("flip/mapping.yaml:6:") && told.contains("flip/mapping.yaml:7:"),
        "{told}"
    );
    // The text that is live, once more.
    files.write("rules/flip/mapping.yaml", &marked(2));
    eventually("that it is restored is told", || {
        let rules = server.get("/api/v1/rules").json();
        rules["refused"].is_null().then_some(())
    });
    eventually("that it is restored is logged", || {
        server.log().contains("again what is live").then_some(())
    });
    files.write("rules/flip/mapping.yaml", &marked(3));
    until_live(&server, &door, 3);
}

/// Puts a symbolic link in the place of another.
fn relink(target: &str, link: &Path) {
    let beside = link.parent().unwrap().join("..data_tmp");
    symlink(target, &beside).unwrap();
    fs::rename(beside, link).unwrap();
}

#[test]
fn a_config_map_that_is_swapped_is_picked_up() {
    let files = Files::new();
    let provider = files.0.path().join("rules/flip");
    fs::remove_file(provider.join("mapping.yaml")).unwrap();
    for (version, number) in [("..one", 1), ("..two", 2), ("..three", 3)] {
        files.write(&format!("rules/flip/{version}/mapping.yaml"), &marked(number));
    }
    // As Kubernetes mounts it: the file is a link through a link to the directory of a version.
    symlink("..one", provider.join("..data")).unwrap();
    symlink("..data/mapping.yaml", provider.join("mapping.yaml")).unwrap();
    let server = files.server();
    let door = server.webhook("flip", "flip");
    until_live(&server, &door, 1);
    relink("..two", &provider.join("..data"));
    until_live(&server, &door, 2);
    relink("..three", &provider.join("..data"));
    until_live(&server, &door, 3);
}

#[test]
fn sighup_loads_rules_again() {
    let files = Files::new();
    let server = files.server();
    server.signal("HUP");
    eventually("the signal is heard", || {
        server.log().contains("rules and plugins have not changed").then_some(())
    });
    let door = server.webhook("flip", "flip");
    files.write("rules/flip/mapping.yaml", &marked(1));
    server.signal("HUP");
    until_live(&server, &door, 1);
}
