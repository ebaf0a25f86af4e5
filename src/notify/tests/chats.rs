//! Chats: the documented shapes of their requests.

use super::*;

fn slack_bot(url: &str) -> ChannelKind {
    let settings = json!({ "token": "xoxb-1", "channel": "#ops", "api_url": format!("{url}/api") });
    kind(ChannelType::Slack, settings)
}

#[tokio::test]
async fn slack_gets_text_in_which_nobody_is_called() {
    let hook =
        |url: &str| kind(ChannelType::Slack, json!({ "url": format!("{url}/services/T/B/x") }));
    let [request] = got(hook, (200, "", "ok"), &opened()).await.try_into().unwrap();
    assert_eq!(request.line, "POST /services/T/B/x");
    let body = request.json();
    assert_eq!(body["text"], "[Alerting] Disk &lt;full&gt; &amp; \"hot\" *now*");
    let attachment = &body["attachments"][0];
    assert_eq!(attachment["color"], "#d7263d");
    let blocks = attachment["blocks"].as_array().unwrap();
    let head = blocks[0]["text"]["text"].as_str().unwrap();
    assert!(head.ends_with("*\n/var is at 97 %\nsince noon"), "{head}");
    assert_eq!(blocks[1]["fields"].as_array().unwrap().len(), 10);
    let link = "<https://alerts.example/ack/t?a=1&amp;b|Acknowledge>";
    assert_eq!(blocks[2]["text"]["text"], link);
    let calling = parcel(vec![notice(Occasion::Opened, json!({ "title": "<!channel>" }))]);
    let [request] = got(hook, (200, "", "ok"), &calling).await.try_into().unwrap();
    assert!(!request.json().to_string().contains("<!channel>"));
}

#[tokio::test]
async fn a_thread_whose_name_is_too_long_is_not_kept() {
    for (length, is_kept) in [(64, true), (65, false)] {
        let answer = json!({ "ok": true, "ts": "1".repeat(length) }).to_string().leak();
        let receiver = Receiver::answering(&[(200, "", answer)]).await;
        let delivered = sent(&slack_bot(&receiver.url), &opened()).await.unwrap();
        assert_eq!(delivered.thread.is_some(), is_kept);
    }
}

#[tokio::test]
async fn a_slack_bot_keeps_an_alert_in_one_thread() {
    let first = (200, "", r#"{"ok":true,"ts":"1.5"}"#);
    let receiver = Receiver::answering(&[first, (200, "", r#"{"ok":true,"ts":"2.5"}"#)]).await;
    let bot = slack_bot(&receiver.url);
    let delivered = sent(&bot, &opened()).await.unwrap();
    assert_eq!(delivered.thread.as_deref(), Some("1.5"));
    let thread = Some("1.5".to_owned());
    let later =
        Parcel { thread: thread.clone(), ..parcel(vec![notice(Occasion::Escalated, json!({}))]) };
    assert_eq!(sent(&bot, &later).await.unwrap().thread, None);
    sent(&bot, &Parcel { thread, ..resolved() }).await.unwrap();
    let [first, later, over] = receiver.taken().try_into().unwrap();
    assert_eq!(first.line, "POST /api/chat.postMessage");
    assert_eq!(first.header("authorization"), "Bearer xoxb-1");
    let (first, later, over) = (first.json(), later.json(), over.json());
    assert_eq!((&first["channel"], &first["thread_ts"]), (&json!("#ops"), &Value::Null));
    // Who follows the channel alone must see that nobody acted.
    assert_eq!((&later["thread_ts"], &later["reply_broadcast"]), (&json!("1.5"), &json!(true)));
    assert_eq!((&over["thread_ts"], &over["reply_broadcast"]), (&json!("1.5"), &json!(false)));
    assert_eq!(over["attachments"][0]["color"], "#2ea44f");
}

#[tokio::test]
async fn what_slack_says_no_to_is_told_and_a_thread_that_is_gone_begins_anew() {
    for (error, retry) in [
        (r#"{"ok":false,"error":"channel_not_found"}"#, Retry::Later(None)),
        (r#"{"ok":false,"error":"invalid_blocks"}"#, Retry::Never),
        ("no json", Retry::Later(None)),
    ] {
        let receiver = Receiver::answering(&[(200, "", error)]).await;
        let fault = sent(&slack_bot(&receiver.url), &opened()).await.unwrap_err();
        assert_eq!(fault.retry, retry, "{fault:?}");
    }
    let gone = (200, "", r#"{"ok":false,"error":"thread_not_found"}"#);
    let receiver = Receiver::answering(&[gone, (200, "", r#"{"ok":true,"ts":"3.5"}"#)]).await;
    let later = Parcel { thread: Some("1.5".to_owned()), ..opened() };
    let delivered = sent(&slack_bot(&receiver.url), &later).await.unwrap();
    assert_eq!(delivered.thread.as_deref(), Some("3.5"));
    assert_eq!(receiver.taken()[1].json()["thread_ts"], Value::Null);
}

#[tokio::test]
async fn teams_gets_an_adaptive_card() {
    let hook = |url: &str| kind(ChannelType::Teams, json!({ "url": url }));
    let [request] = got(hook, (202, "", ""), &opened()).await.try_into().unwrap();
    let body = request.json();
    assert_eq!(body["type"], "message");
    let attachment = &body["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = &attachment["content"];
    assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
    assert_eq!(card["body"][0]["text"], "\\[Alerting\\] Disk <full> & \"hot\" \\*now\\*");
    assert_eq!(card["body"][0]["color"], "Attention");
    assert_eq!(card["body"][1]["text"], "/var is at 97 %\n\nsince noon");
    assert_eq!(card["body"][2]["facts"][0], json!({ "title": "Alert Number", "value": "\\#42" }));
    let action = json!({ "type": "Action.OpenUrl", "title": "Acknowledge", "url": "https://alerts.example/ack/t?a=1&b" });
    assert_eq!(card["actions"], json!([action]));
    let [request] = got(hook, (202, "", ""), &storm(30)).await.try_into().unwrap();
    assert!(request.body.len() < 28_000);
}

#[tokio::test]
async fn telegram_gets_html_that_answers_to_the_first_message() {
    let bot = |url: &str| {
        let settings = json!({ "token": "1:AB", "chat_id": -100, "topic_id": 7, "api_url": url });
        kind(ChannelType::Telegram, settings)
    };
    let taken = (200, "", r#"{"ok":true,"result":{"message_id":9}}"#);
    let receiver = Receiver::answering(&[taken]).await;
    let delivered = sent(&bot(&receiver.url), &opened()).await.unwrap();
    assert_eq!(delivered.thread.as_deref(), Some("9"));
    sent(&bot(&receiver.url), &Parcel { thread: Some("9".to_owned()), ..resolved() })
        .await
        .unwrap();
    let [first, later] = receiver.taken().try_into().unwrap();
    assert_eq!(first.line, "POST /bot1:AB/sendMessage");
    let (first, later) = (first.json(), later.json());
    assert_eq!((&first["chat_id"], &first["message_thread_id"]), (&json!("-100"), &json!(7)));
    assert_eq!(first["parse_mode"], "HTML");
    let text = first["text"].as_str().unwrap();
    assert!(
        text.starts_with("<b>[Alerting] Disk &lt;full&gt; &amp; &quot;hot&quot; *now*</b>\n"),
        "{text}"
    );
    assert!(
        text.ends_with("<a href=\"https://alerts.example/ack/t?a=1&amp;b\">Acknowledge</a>"),
        "{text}"
    );
    let reply = json!({ "message_id": 9, "allow_sending_without_reply": true });
    assert_eq!((&first["reply_parameters"], &later["reply_parameters"]), (&Value::Null, &reply));

    let slow = (
        429,
        "",
        r#"{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":31}}"#,
    );
    let receiver = Receiver::answering(&[slow]).await;
    let fault = sent(&bot(&receiver.url), &opened()).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Later(Some(Duration::from_secs(31))));
    assert_eq!(fault.reason, "it answered 429: Too Many Requests");
    let long = json!({ "title": "&".repeat(5000), "description": "<".repeat(9000) });
    let [request] =
        got(bot, taken, &parcel(vec![notice(Occasion::Opened, long)])).await.try_into().unwrap();
    let shown = request.json()["text"].as_str().unwrap().replace("&amp;", "&").replace("&lt;", "<");
    assert!(shown.chars().count() < 4096 + 100, "{}", shown.chars().count());
}

#[tokio::test]
async fn discord_gets_an_embed_that_calls_nobody() {
    let hook = |url: &str| {
        kind(ChannelType::Discord, json!({ "url": format!("{url}/api/webhooks/1/x?thread_id=5") }))
    };
    let [request] = got(hook, (200, "", "{}"), &opened()).await.try_into().unwrap();
    assert_eq!(request.line, "POST /api/webhooks/1/x?thread_id=5&wait=true");
    let body = request.json();
    assert_eq!(body["allowed_mentions"], json!({ "parse": [] }));
    let embed = &body["embeds"][0];
    assert_eq!(embed["color"], 0x00d7_263d);
    assert_eq!(embed["timestamp"], "2026-01-01T00:00:00.000Z");
    let description = embed["description"].as_str().unwrap();
    assert!(
        description.ends_with("[Acknowledge](https://alerts.example/ack/t?a=1&b)"),
        "{description}"
    );
    assert_eq!(
        embed["fields"][0],
        json!({ "name": "Alert Number", "value": "\\#42", "inline": true })
    );
    let evil = json!({ "title": "[Acknowledge](https://evil)" });
    let evil = parcel(vec![notice(Occasion::Opened, evil)]);
    let [request] = got(hook, (200, "", "{}"), &evil).await.try_into().unwrap();
    let title = request.json()["embeds"][0]["title"].as_str().unwrap().to_owned();
    assert!(title.ends_with(r"\[Acknowledge\]\(https://evil\)"), "{title}");
    let receiver = Receiver::answering(&[(429, "", r#"{"retry_after":0.65}"#)]).await;
    let fault = sent(&hook(&receiver.url), &opened()).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Later(Some(Duration::from_millis(650))));
}

#[tokio::test]
async fn ntfy_gets_a_message_as_loud_as_the_alert() {
    let topic =
        |url: &str| kind(ChannelType::Ntfy, json!({ "url": url, "topic": "ops", "token": "tk_1" }));
    let [request] = got(topic, (200, "", "{}"), &opened()).await.try_into().unwrap();
    assert_eq!((request.line.as_str(), request.header("authorization")), ("POST /", "Bearer tk_1"));
    let body = request.json();
    assert_eq!((&body["topic"], &body["priority"]), (&json!("ops"), &json!(5)));
    assert_eq!(body["title"], "[Alerting] Disk <full> & \"hot\" *now*");
    assert_eq!(body["tags"], json!(["rotating_light"]));
    assert_eq!(body["click"], body["actions"][0]["url"]);
    let [request] = got(topic, (200, "", "{}"), &resolved()).await.try_into().unwrap();
    let body = request.json();
    assert_eq!((&body["priority"], &body["click"]), (&json!(3), &Value::Null));
    assert!(body["message"].as_str().unwrap().contains("Why: it recovered"), "{body}");
}
