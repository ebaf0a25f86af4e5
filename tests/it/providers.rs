//! The providers: what their samples become, by the golden files and through the door.

use std::{fs, path::Path};

use alertmill::rules::samples::SampleRequest;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Answer, Hook, House, time};

/// Every provider that has samples.
fn providers() -> Vec<String> {
    let entries = fs::read_dir("rules").unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<String> = entries
        .filter(|path| path.join("samples").is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The fields that a golden file says of an event.
const FIELDS: [&str; 12] = [
    "event_key",
    "event_type",
    "severity",
    "title",
    "description",
    "rule",
    "image_url",
    "resources",
    "provider",
    "account",
    "additional_info",
    "occurred_at",
];

/// A payload file and what stands beside it.
struct Sample {
    provider: String,
    case: String,
    body: Vec<u8>,
    request: SampleRequest,
    golden: Value,
}

fn sample(provider: &str, case: &str) -> Sample {
    let beside = |kind: &str| {
        let path = Path::new("rules").join(provider).join("samples").join(format!("{case}.{kind}"));
        fs::read(path).ok()
    };
    let body = beside("json").or_else(|| beside("body"));
    let body = body.unwrap_or_else(|| panic!("no payload {provider}/{case}"));
    let request = beside("request.yaml").map(|text| {
        let text = String::from_utf8(text).unwrap();
        SampleRequest::read(case, &text).unwrap_or_else(|error| panic!("{error}"))
    });
    let golden = beside("events.json").unwrap_or_else(|| panic!("no golden of {provider}/{case}"));
    Sample {
        provider: provider.to_owned(),
        case: case.to_owned(),
        body,
        request: request.unwrap_or_default(),
        golden: serde_json::from_slice(&golden).unwrap(),
    }
}

fn samples(provider: &str) -> Vec<Sample> {
    let directory = fs::read_dir(Path::new("rules").join(provider).join("samples")).unwrap();
    let mut cases: Vec<String> = directory
        .filter_map(|entry| {
            let file = entry.unwrap().file_name().into_string().unwrap();
            let case = file.strip_suffix(".events.json")?;
            Some(case.to_owned())
        })
        .collect();
    cases.sort();
    let mut samples: Vec<Sample> = cases.iter().map(|case| sample(provider, case)).collect();
    samples.sort_by_key(|sample| sample.request.received_at.clone());
    samples
}

impl Sample {
    /// Posts it as its sender would, when it says that it arrived.
    async fn posted(&self, house: &House, hook: &Hook) -> Answer {
        if let Some(received_at) = &self.request.received_at {
            let wait = time(received_at) - house.now();
            assert!(wait >= TimeDelta::zero(), "{}/{} lies in the past", self.provider, self.case);
            house.later(wait);
        }
        self.posted_now(house, hook).await
    }

    /// Posts it as its sender would.
    async fn posted_now(&self, house: &House, hook: &Hook) -> Answer {
        let mut headers: Vec<(&str, &str)> = Vec::new();
        for (name, value) in &self.request.headers {
            headers.push((name, value));
        }
        if let Some(content_type) = &self.request.content_type {
            headers.push(("content-type", content_type));
        }
        let query = serde_urlencoded::to_string(&self.request.query).unwrap();
        house.send(hook.delivery_with(&query, &self.body, &headers)).await
    }

    /// What it says, if it is JSON.
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The items that must not be understood.
    fn errors(&self) -> Vec<&Value> {
        let items = self.golden["items"].as_array().unwrap().iter();
        items.filter(|item| !item["error"].is_null()).collect()
    }

    fn expected(&self) -> &Vec<Value> {
        self.golden["events"].as_array().unwrap()
    }
}

fn normalized(event: &Value) -> Value {
    FIELDS.iter().map(|field| ((*field).to_owned(), event[*field].clone())).collect()
}

#[test]
fn every_provider_has_the_samples_that_show_it() {
    for provider in providers() {
        let samples = samples(&provider);
        assert!(samples.len() >= 4, "{provider} has {} samples", samples.len());
    }
}

#[test]
fn the_page_of_providers_names_each_and_no_other() {
    let page = fs::read_to_string("docs/providers.md").unwrap();
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| [`")?.split_once('`').map(|(name, _)| name))
        .collect();
    let mut plugins: Vec<String> = fs::read_dir("plugins")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("plugin.yaml").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    plugins.sort();
    assert_eq!(named, plugins);
}

/// Posts every sample of a provider to a webhook of its own; all of them to one house.
async fn each_posted(provider: &str) -> (House, Vec<(Sample, Hook, Answer)>) {
    let house = House::new().await;
    let mut posted = Vec::new();
    for sample in samples(provider) {
        let hook = house.webhook(provider).await;
        let answer = sample.posted(&house, &hook).await;
        posted.push((sample, hook, answer));
    }
    (house, posted)
}

#[actix_web::test]
async fn a_payload_that_is_posted_becomes_the_same_events() {
    for provider in providers() {
        let (house, posted) = each_posted(&provider).await;
        for (sample, hook, answer) in posted {
            let told = format!("{provider}/{}: {answer:?}", sample.case);
            let understood = sample.errors().is_empty();
            assert_eq!(answer.status, if understood { 200 } else { 202 }, "{told}");
            let events = house.events(json!({ "webhook_id": hook.webhook_id })).await;
            let ours = |event: &&Value| event["why"] != "unreadable";
            let came: Vec<_> = events.iter().filter(ours).map(normalized).collect();
            assert_eq!(&came, sample.expected(), "{told}");
            assert_eq!(events.len() > came.len(), !understood, "{told}");
        }
    }
}

#[actix_web::test]
async fn what_was_not_understood_is_kept_with_the_reason_of_the_golden() {
    for provider in providers() {
        let (_house, posted) = each_posted(&provider).await;
        for (sample, _, answer) in posted {
            let items = answer.body["items"].as_array().cloned().unwrap_or_default();
            let dead: Vec<_> = items.iter().filter(|item| item["what"] == "dead").collect();
            assert_eq!(dead.len(), sample.errors().len(), "{provider}/{}: {answer:?}", sample.case);
            for (dead, error) in dead.iter().zip(sample.errors()) {
                assert_eq!(dead["index"], error["index"]);
                for (ours, theirs) in
                    [("why", "reason"), ("file", "file"), ("line", "line"), ("path", "path")]
                {
                    let told = format!("{ours} of {provider}/{}: {dead}", sample.case);
                    assert_eq!(dead[ours], error["error"][theirs], "{told}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn firing_then_resolved_ends_in_one_resolved_alert() {
    let mut resolved = Vec::new();
    for provider in providers() {
        for (firing, recovery) in episodes(&provider) {
            let house = House::new().await;
            // Without the rules that come with a provider, which may want more than one event.
            let hook = house.bare_webhook(&provider).await;
            let told = format!("{provider}: {}, {}", firing.case, recovery.case);
            house.later(TimeDelta::days(365));
            assert_eq!(firing.posted_now(&house, &hook).await.status, 200, "{told}");
            let key = &firing.expected()[0]["event_key"];
            let open = house.alerts(json!({ "event_key": key })).await;
            assert_eq!(open[0]["state"], "TRIGGERED", "{told}");
            house.later(TimeDelta::minutes(11));
            assert_eq!(recovery.posted_now(&house, &hook).await.status, 200, "{told}");
            let alerts = house.alerts(json!({ "event_key": key })).await;
            assert_eq!(alerts.len(), 1, "{told}");
            assert_eq!(alerts[0]["state"], "RESOLVED", "{told}");
            assert_eq!(alerts[0]["alert_id"], open[0]["alert_id"]);
            resolved.push(provider.clone());
        }
    }
    resolved.dedup();
    assert!(resolved.len() >= 35, "{resolved:?}");
}

/// A firing sample of each problem that recovers in another, with that.
fn episodes(provider: &str) -> Vec<(Sample, Sample)> {
    let file = format!("rules/{provider}/samples/problems.yaml");
    let problems: Vec<Vec<String>> =
        serde_saphyr::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let of = |cases: &[String], event_type: &str| {
        let mut samples = cases.iter().map(|case| sample(provider, case));
        samples.find(|sample| {
            let events = sample.expected();
            !events.is_empty() && events.iter().all(|event| event["event_type"] == event_type)
        })
    };
    let episode = |cases: &Vec<String>| Some((of(cases, "ALERT")?, of(cases, "RECOVERY")?));
    problems.iter().filter_map(episode).take(2).collect()
}

#[actix_web::test]
async fn an_event_gives_back_what_was_posted() {
    for provider in providers() {
        let house = House::new().await;
        let hook = house.webhook(&provider).await;
        for sample in samples(&provider) {
            let answer = sample.posted(&house, &hook).await;
            let Some(posted) = sample.json() else { continue };
            for item in answer.body["items"].as_array().into_iter().flatten() {
                let request = json!({ "event_id": item["event_id"] });
                let event = house.done("/monitoring/v1/event/get", request).await;
                if event["why"] != "unreadable" {
                    assert_eq!(event["raw_data"], posted, "{provider}/{}", sample.case);
                }
            }
        }
    }
}
