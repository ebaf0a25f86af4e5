//! Mail, against a sink that speaks SMTP.

use super::{receivers::MailSink, *};
use crate::outbound::Mailer;

fn mail(to: &[&str]) -> ChannelKind {
    kind(ChannelType::Email, json!({ "to": to }))
}

fn through(sink: &MailSink) -> Outbound {
    let server = format!("smtp://127.0.0.1:{}", sink.port).parse().unwrap();
    let from = "Alertmill <alerts@example.org>".to_owned();
    // The operator's own server may be anywhere.
    Outbound::new(AllowPrivate::No).with_mailer(Some(Mailer { server, from }))
}

async fn mailed(
    outbound: &Outbound,
    kind: &ChannelKind,
    parcel: &Parcel,
) -> Result<Delivered, SendFault> {
    deliver(outbound, (kind, &Templates::default()), parcel).await
}

#[tokio::test]
async fn a_mail_goes_to_each_recipient_and_stands_in_the_thread_of_its_alert() {
    let sink = MailSink::new().await;
    let to = mail(&["a@example.org", "b@example.org"]);
    let delivered = mailed(&through(&sink), &to, &opened()).await.unwrap();
    assert_eq!((delivered.status, delivered.note), (Some(250), None));
    let [first, second] = sink.taken().try_into().unwrap();
    assert_eq!(
        (first.from.as_str(), first.to),
        ("alerts@example.org", vec!["a@example.org".to_owned()])
    );
    assert_eq!(second.to, ["b@example.org"]);
    assert_eq!(first.text, second.text);
    for line in [
        "From: Alertmill <alerts@example.org>",
        "To: a@example.org, b@example.org",
        "Subject: [Alerting] Disk <full> & \"hot\" *now*",
        "Message-ID: <message-1@example.org>",
        "In-Reply-To: <alert-1@example.org>",
        "References: <alert-1@example.org>",
        "Auto-Submitted: auto-generated",
        "Alert Number: #42",
        "Acknowledge: https://alerts.example/ack/t?a=1&b",
    ] {
        assert!(first.text.contains(line), "{line}: {}", first.text);
    }
}

#[tokio::test]
async fn nothing_of_an_alert_becomes_a_header() {
    let sink = MailSink::new().await;
    let evil = json!({ "title": "a\r\nBcc: evil@example.org\r\n\r\nhello", "description": "\r\n.\r\nMAIL FROM:<x>" });
    let evil = parcel(vec![notice(Occasion::Opened, evil)]);
    mailed(&through(&sink), &mail(&["a@example.org"]), &evil).await.unwrap();
    let [mail] = sink.taken().try_into().unwrap();
    assert!(!mail.text.lines().any(|line| line.starts_with("Bcc")), "{}", mail.text);
    assert!(
        mail.text.contains("Subject: [Alerting] a Bcc: evil@example.org hello"),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn an_address_that_is_gone_does_not_keep_the_mail_from_the_others() {
    let gone = &[("gone@example.org", "550 no such user")];
    let sink = MailSink::refusing(gone).await;
    let to = mail(&["gone@example.org", "a@example.org"]);
    let delivered = mailed(&through(&sink), &to, &opened()).await.unwrap();
    assert_eq!(sink.taken().len(), 1);
    let note = delivered.note.unwrap();
    assert!(note.contains("gone@example.org") && note.contains("no such user"), "{note}");
    let fault = mailed(&through(&sink), &mail(&["gone@example.org"]), &opened()).await.unwrap_err();
    assert_eq!((fault.retry, fault.status), (Retry::Never, Some(550)));
}

#[tokio::test]
async fn whoever_may_get_it_later_is_tried_again() {
    let busy = &[("busy@example.org", "451 try later"), ("gone@example.org", "550 no such user")];
    let sink = MailSink::refusing(busy).await;
    let to = mail(&["gone@example.org", "busy@example.org", "a@example.org"]);
    let fault = mailed(&through(&sink), &to, &opened()).await.unwrap_err();
    assert_eq!((fault.retry, fault.status), (Retry::Later(None), Some(451)));
    assert!(fault.reason.contains("try later"), "{fault:?}");
}

#[tokio::test]
async fn the_server_of_the_operator_sends_in_the_name_of_the_operator_alone() {
    let sink = MailSink::new().await;
    let stored = json!({ "settings": { "to": "a@example.org", "from": "boss@example.org" } });
    let stored = ChannelKind::restore(ChannelType::Email, &stored).unwrap();
    mailed(&through(&sink), &stored, &opened()).await.unwrap();
    let [mail] = sink.taken().try_into().unwrap();
    assert_eq!(mail.from, "alerts@example.org");
    assert!(!mail.text.contains("boss@"), "{}", mail.text);
}

#[tokio::test]
async fn without_a_mail_server_that_is_said() {
    let fault = mailed(&outbound(), &mail(&["a@example.org"]), &opened()).await.unwrap_err();
    assert_eq!(fault.retry, Retry::Never);
    assert!(fault.reason.contains("--smtp"), "{fault:?}");
}

#[tokio::test]
async fn a_server_that_cannot_encrypt_gets_nothing_where_that_is_asked_for() {
    let sink = MailSink::new().await;
    let server = json!({ "host": "127.0.0.1", "port": sink.port });
    let settings = json!({ "to": "a@example.org", "from": "b@example.org", "server": server });
    let fault =
        mailed(&outbound(), &kind(ChannelType::Email, settings), &opened()).await.unwrap_err();
    assert!(sink.taken().is_empty(), "{fault:?}");
    assert_eq!(fault.retry, Retry::Later(None));
}
