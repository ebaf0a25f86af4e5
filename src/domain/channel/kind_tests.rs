//! What settings become, what is wrong with them, and what people see of them.

use serde_json::json;

use super::*;
use crate::{clock::from_millis, domain::channel::settings::HIDDEN};

fn parsed(kind: ChannelType, settings: Value) -> Result<ChannelKind> {
    ChannelKind::parse(kind, settings.as_object().unwrap(), None)
}

fn changed(before: &ChannelKind, settings: Value) -> Result<ChannelKind> {
    ChannelKind::parse(before.kind(), settings.as_object().unwrap(), Some(before))
}

/// One of each kind, with all that it may have.
fn each() -> Vec<(ChannelType, Value)> {
    let server = json!({ "host": "mail.example.org", "port": 465, "security": "TLS", "username": "u", "password": "secret-0" });
    vec![
        (
            ChannelType::Webhook,
            json!({ "url": "https://a.example/secret-1", "headers": { "X-Team": "secret-2" }, "body": "TEMPLATE", "content_type": "text/plain" }),
        ),
        (ChannelType::Slack, json!({ "url": "https://hooks.slack.com/services/secret-3" })),
        (
            ChannelType::Slack,
            json!({ "token": "secret-4", "channel": "#ops", "api_url": "https://slack.com/api" }),
        ),
        (ChannelType::Teams, json!({ "url": "https://a.example:8443/?sig=secret-5" })),
        (
            ChannelType::Email,
            json!({ "to": ["a@example.org", "b@example.org"], "from": "c@example.org", "server": server }),
        ),
        (
            ChannelType::PagerDuty,
            json!({ "routing_key": "secret-6", "api_url": "https://events.eu.pagerduty.com" }),
        ),
        (
            ChannelType::Opsgenie,
            json!({ "api_key": "secret-7", "api_url": "https://api.eu.opsgenie.com", "teams": ["web"] }),
        ),
        (
            ChannelType::Telegram,
            json!({ "token": "1:secret-8", "chat_id": "-100123", "topic_id": 7, "api_url": "https://api.telegram.org" }),
        ),
        (ChannelType::Discord, json!({ "url": "https://discord.com/api/webhooks/1/secret-9" })),
        (
            ChannelType::Ntfy,
            json!({ "url": "https://ntfy.sh", "topic": "secret-10", "token": "secret-11" }),
        ),
    ]
}

#[test]
fn what_is_set_is_stored_and_read_back() {
    for (kind, settings) in each() {
        let read = parsed(kind, settings.clone()).unwrap();
        assert_eq!(read.stored()["settings"], settings);
        assert_eq!(ChannelKind::restore(kind, &read.stored()).unwrap(), read);
        assert_eq!(read.kind(), kind);
    }
}

#[test]
fn no_secret_is_shown_or_logged() {
    for (kind, settings) in each() {
        let read = parsed(kind, settings).unwrap();
        let shown = Value::Object(read.masked()).to_string();
        assert!(!shown.contains("secret-"), "{shown}");
        assert!(!format!("{read:?}").contains("secret-"), "{read:?}");
        assert!(!read.target().contains("secret-") && !read.target().is_empty(), "{read:?}");
    }
    let hook =
        parsed(ChannelType::Teams, json!({ "url": "https://a.example:8443?sig=s" })).unwrap();
    assert_eq!(hook.masked()["url"], "https://a.example:8443/…");
    assert_eq!(hook.target(), "a.example:8443");
}

#[test]
fn what_is_given_back_as_it_was_shown_stays() {
    for (kind, settings) in each() {
        let read = parsed(kind, settings).unwrap();
        assert_eq!(changed(&read, Value::Object(read.masked())).unwrap(), read);
        assert_eq!(changed(&read, json!({})).unwrap(), read);
    }
}

#[test]
fn what_is_left_out_stays_and_what_is_null_goes() {
    let mail = json!({ "to": "a@example.org", "from": "c@example.org", "server": {
        "host": "mail.example.org", "username": "u", "password": "p" } });
    let mail = parsed(ChannelType::Email, mail).unwrap();
    let ChannelKind::Email(target) = &mail else { panic!("{mail:?}") };
    assert_eq!(target.server.as_ref().unwrap().port, 587);
    let moved =
        json!({ "server": { "host": "MAIL.example.org", "username": "v", "password": HIDDEN } });
    let moved = changed(&mail, moved).unwrap().stored()["settings"]["server"].clone();
    assert_eq!((&moved["username"], &moved["password"]), (&json!("v"), &json!("p")));
    let plain = changed(&mail, json!({ "server": null, "from": null })).unwrap();
    assert_eq!(plain.stored()["settings"], json!({ "to": ["a@example.org"] }));
    // Another kind takes nothing over.
    let other = json!({ "topic": "t" });
    let other =
        ChannelKind::parse(ChannelType::Ntfy, other.as_object().unwrap(), Some(&mail)).unwrap();
    assert_eq!(other.stored()["settings"], json!({ "topic": "t", "url": "https://ntfy.sh" }));
}

#[test]
fn a_secret_is_said_anew_where_a_channel_goes_to_another_host() {
    let elsewhere = "https://other.example";
    let moves = [
        (json!({ "url": elsewhere }), "/settings/headers/X-Team"),
        (json!({ "url": null, "token": "t", "channel": "c" }), ""),
        (json!({ "api_url": elsewhere }), "/settings/token"),
        (json!({ "url": elsewhere }), ""),
        (
            json!({ "server": { "host": "o.example", "username": "u", "password": HIDDEN } }),
            "/settings/server/password",
        ),
        (json!({ "api_url": elsewhere }), "/settings/routing_key"),
        (json!({ "api_url": null }), "/settings/api_key"),
        (json!({ "api_url": "http://api.telegram.org" }), "/settings/token"),
        (json!({ "url": elsewhere }), ""),
        (json!({ "url": "https://ntfy.sh:444", "topic": "t" }), "/settings/token"),
    ];
    for ((kind, settings), (new, place)) in each().into_iter().zip(moves) {
        let read = parsed(kind, settings).unwrap();
        if place.is_empty() {
            continue;
        }
        let error = changed(&read, new.clone()).unwrap_err();
        assert_eq!(error.mistakes[0].pointer, place, "{new}: {error}");
        assert!(error.detail.contains("say it anew"), "{error}");
        // As it was shown is not anew.
        let mut all = Value::Object(read.masked());
        all.as_object_mut().unwrap().extend(new.as_object().unwrap().clone());
        assert_eq!(changed(&read, all).unwrap_err().mistakes[0].pointer, place, "{new}");
    }
}

#[test]
fn a_channel_goes_to_another_host_with_secrets_that_are_given_anew_or_taken_away() {
    let url = "https://other.example/new";
    let news = [
        json!({ "url": url, "headers": { "X-Team": "new" } }),
        json!({ "url": url }),
        json!({ "api_url": url, "token": "new" }),
        json!({ "url": url }),
        json!({ "server": { "host": "o.example" } }),
        json!({ "api_url": url, "routing_key": "new" }),
        json!({ "api_url": url, "api_key": "new" }),
        json!({ "api_url": url, "token": "new" }),
        json!({ "url": url }),
        json!({ "url": url, "topic": "new", "token": null }),
    ];
    for ((kind, settings), new) in each().into_iter().zip(news) {
        let moved = changed(&parsed(kind, settings).unwrap(), new.clone()).unwrap();
        assert!(!moved.stored().to_string().contains("secret-"), "{new}");
    }
    // The same host, written otherwise, is the same.
    let bot = json!({ "token": "t", "channel": "c", "api_url": "https://slack.com/api" });
    let bot = parsed(ChannelType::Slack, bot).unwrap();
    let same = changed(&bot, json!({ "api_url": "https://SLACK.com:443/api/" })).unwrap();
    assert_eq!(same.stored()["settings"]["token"], "t");
}

/// Settings are refused at one place.
fn check(kind: ChannelType, settings: Value, place: &str) {
    let error = parsed(kind, settings.clone()).unwrap_err();
    assert_eq!(error.code.status(), 400, "{settings}: {error}");
    assert_eq!(error.mistakes[0].pointer, place, "{settings}: {error}");
}

#[test]
fn each_mistake_of_a_webhook_has_its_place() {
    use ChannelType::Webhook;
    let url = "https://a.example/";
    for (kind, settings, place) in [
        (Webhook, json!({}), "/settings/url"),
        (Webhook, json!({ "url": 7 }), "/settings/url"),
        (Webhook, json!({ "url": "a.example" }), "/settings/url"),
        (Webhook, json!({ "url": "ftp://a.example" }), "/settings/url"),
        (Webhook, json!({ "url": "https://u:p@a.example" }), "/settings/url"),
        (Webhook, json!({ "url": "https://a.example/\n" .to_owned() + "b" }), "/settings/url"),
        (Webhook, json!({ "url": format!("{url}{}", "a".repeat(3000)) }), "/settings/url"),
        (Webhook, json!({ "url": url, "body": "XML" }), "/settings/body"),
        (Webhook, json!({ "url": url, "content_type": "json" }), "/settings/content_type"),
        (Webhook, json!({ "url": url, "headers": ["a"] }), "/settings/headers"),
        (Webhook, json!({ "url": url, "headers": { "Host": "b" } }), "/settings/headers/Host"),
        (
            Webhook,
            json!({ "url": url, "headers": { "Webhook-Id": "b" } }),
            "/settings/headers/Webhook-Id",
        ),
        (Webhook, json!({ "url": url, "headers": { "a/b": "b" } }), "/settings/headers/a~1b"),
        (Webhook, json!({ "url": url, "headers": { "a": "b\r\nc: d" } }), "/settings/headers/a"),
        (Webhook, json!({ "url": url, "headers": { "a": "é" } }), "/settings/headers/a"),
        (Webhook, json!({ "url": url, "keys": [] }), "/settings/keys"),
    ] {
        check(kind, settings, place);
    }
}

#[test]
fn each_mistake_of_another_channel_has_its_place() {
    use ChannelType::{Email, Ntfy, Opsgenie, PagerDuty, Slack, Telegram};
    let server = |more: Value| {
        let mut server = json!({ "host": "h.example" });
        server.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "to": "a@b.example", "from": "c@b.example", "server": server })
    };
    let url = "https://a.example/";
    for (kind, settings, place) in [
        (Slack, json!({}), "/settings/url"),
        (Slack, json!({ "token": "t" }), "/settings/channel"),
        (Slack, json!({ "channel": "#c" }), "/settings/token"),
        (Slack, json!({ "url": url, "token": "t", "channel": "c" }), "/settings/url"),
        (
            Slack,
            json!({ "token": "t", "channel": "c", "api_url": "https://a/?b" }),
            "/settings/api_url",
        ),
        (Email, json!({ "to": [] }), "/settings/to"),
        (Email, json!({ "to": ["a@b.example", "nobody"] }), "/settings/to/1"),
        (Email, json!({ "to": ["a@b.example, c@b.example"] }), "/settings/to/0"),
        (Email, json!({ "to": ["A <a@b.example>"] }), "/settings/to/0"),
        (Email, json!({ "to": [7] }), "/settings/to/0"),
        (Email, json!({ "to": "a@b.example", "from": "c@b.example" }), "/settings/from"),
        (Email, json!({ "to": "a@b.example", "server": { "host": "h" } }), "/settings/from"),
        (Email, server(json!({ "port": 70000 })), "/settings/server/port"),
        (Email, server(json!({ "security": "SSL" })), "/settings/server/security"),
        (Email, server(json!({ "username": "u" })), "/settings/server/password"),
        (
            Email,
            server(json!({ "username": "u", "password": "p", "security": "none" })),
            "/settings/server/security",
        ),
        (Email, server(json!({ "hots": "h" })), "/settings/server/hots"),
        (PagerDuty, json!({ "routing_key": " " }), "/settings/routing_key"),
        (Opsgenie, json!({ "api_key": "k", "team": "web" }), "/settings/team"),
        (Telegram, json!({ "token": "1:a/../b", "chat_id": 1 }), "/settings/token"),
        (Telegram, json!({ "token": "1:a", "chat_id": 1.5 }), "/settings/chat_id"),
        (Telegram, json!({ "token": "1:a", "chat_id": 1, "topic_id": 0 }), "/settings/topic_id"),
        (Ntfy, json!({ "topic": "a/b" }), "/settings/topic"),
    ] {
        check(kind, settings, place);
    }
}

#[test]
fn a_word_that_was_meant_is_suggested() {
    let error = parsed(ChannelType::Opsgenie, json!({ "api_key": "k", "team": "a" })).unwrap_err();
    assert!(error.detail.contains("did you mean `teams`?"), "{error}");
}

#[test]
fn a_rotated_secret_signs_beside_the_old_one_for_a_while() {
    let hook = parsed(ChannelType::Webhook, json!({ "url": "https://a.example/" })).unwrap();
    let at = from_millis;
    let (none, minute) = (TimeDelta::zero(), TimeDelta::seconds(60));
    let signed =
        hook.rotated("first".into(), none, at(0)).rotated("second".into(), minute, at(1000));
    let live = |kind: &ChannelKind, now| -> Vec<String> {
        let ChannelKind::Webhook(target) = kind else { panic!("{kind:?}") };
        target.live_keys(at(now)).map(|key| key.secret.reveal().to_owned()).collect()
    };
    assert_eq!(live(&signed, 1000), ["second", "first"]);
    assert_eq!(live(&signed, 61_000), ["second"]);
    let third = signed.clone().rotated("third".into(), minute, at(2000));
    assert_eq!(live(&third, 2000), ["third", "second"]);
    assert_eq!(live(&signed.clone().rotated("third".into(), none, at(2000)), 2000), ["third"]);
    // Keys are stored, kept by a change of settings, and shown to nobody.
    assert_eq!(ChannelKind::restore(ChannelType::Webhook, &signed.stored()).unwrap(), signed);
    let moved = changed(&signed, json!({ "url": "https://b.example/" })).unwrap();
    assert_eq!(live(&moved, 1000), ["second", "first"]);
    assert!(!signed.masked().contains_key("keys"));
}
