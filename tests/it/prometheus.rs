//! A real run: Prometheus and Alertmanager as Debian has them, Alertmill in between, and whoever is told.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use alertmill::digest::hmac_sha256;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    client::{Server, eventually},
    receivers::{Mail, MailSink, Receiver, Request},
};

const PROGRAMS: [&str; 2] = ["prometheus", "prometheus-alertmanager"];

/// Both programs; they end with it.
struct Monitoring(Child);

impl Drop for Monitoring {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn are_installed() -> bool {
    PROGRAMS.iter().all(|program| Path::new("/usr/bin").join(program).exists())
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Something to be watched, which is hot or not; its port.
fn oven(is_hot: &Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, is_hot) = (listener.local_addr().unwrap().port(), Arc::clone(is_hot));
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.read(&mut [0; 4096]);
            let text = format!("oven_hot {}\n", u8::from(is_hot.load(Ordering::Relaxed)));
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
            let _ = write!(socket, "{head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        }
    });
    port
}

fn started(room: &Path, (oven, url): (u16, &str)) -> Monitoring {
    let (prometheus, alertmanager) = (free_port(), free_port());
    let rules = "groups: [{ name: kitchen, interval: 1s, rules: [{ alert: OvenHot, expr: oven_hot > 0, \
        labels: { severity: critical }, annotations: { summary: The oven is hot } }] }]\n";
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
         alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['127.0.0.1:{alertmanager}'] }}] }}] }}\n\
         scrape_configs: [{{ job_name: kitchen, static_configs: [{{ targets: ['127.0.0.1:{oven}'] }}] }}]\n"
    );
    let routes = format!(
        "route: {{ receiver: mill, group_wait: 0s, group_interval: 1s, repeat_interval: 1h, group_by: [alertname] }}\n\
         receivers: [{{ name: mill, webhook_configs: [{{ url: '{url}', send_resolved: true }}] }}]\n"
    );
    for (name, text) in
        [("rules.yml", rules), ("prometheus.yml", &config), ("alertmanager.yml", &routes)]
    {
        fs::write(room.join(name), text).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/prometheus.sh");
    let ports = [prometheus.to_string(), alertmanager.to_string()];
    Monitoring(Command::new(script).arg(room).args(ports).spawn().unwrap())
}

/// Whether a request is signed with `secret`, as whoever gets it checks that.
fn is_signed(request: &Request, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let (id, sent_at) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    let mut message = format!("{id}.{sent_at}.").into_bytes();
    message.extend_from_slice(&request.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &message)));
    request.header("webhook-signature") == expected
}

fn occasions(requests: &[Request]) -> Vec<Value> {
    requests.iter().map(|request| request.json()["data"]["occasion"].clone()).collect()
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    let subject = |mail: &Mail| mail.text.lines().position(|line| line.starts_with("Subject: "));
    mails.iter().map(|mail| mail.text.lines().nth(subject(mail).unwrap()).unwrap()).collect()
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it shows nothing where it cannot")]
fn a_rule_of_prometheus_fires_and_recovers_and_each_is_told_once() {
    if !are_installed() {
        let wanted = PROGRAMS.join(" and ");
        eprintln!("SKIPPED: {wanted} are not installed (apt-get install {})", PROGRAMS.join(" "));
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (receiver, sink) =
        runtime.block_on(async { (Receiver::new().await, MailSink::new().await) });
    let smtp = format!("smtp://127.0.0.1:{}", sink.port);
    let mail = ["--smtp", &smtp, "--mail-from", "Alertmill <alerts@example.org>"];
    let server = Server::start(&[&["--allow-private-outbound"], &mail[..]].concat());
    let channel = |name: &str, kind: &str, settings: Value| {
        let asked =
            json!({ "name": name, "kind": kind, "settings": settings, "project_id": "default" });
        server.ask("/api/v1/channel/create", &asked)
    };
    let hook = channel("hook", "WEBHOOK", json!({ "url": receiver.url }));
    channel("mail", "EMAIL", json!({ "to": ["ops@example.org"] }));
    let door = server.webhook("alertmanager", "kitchen");
    let url = format!("http://{}{}", server.address(), door.path);

    let (room, is_hot) = (tempfile::tempdir().unwrap(), Arc::new(AtomicBool::new(true)));
    let monitoring = started(room.path(), (oven(&is_hot), &url));
    runtime.block_on(async {
        receiver.until(|all| !all.is_empty()).await;
        sink.until(|all| !all.is_empty()).await;
    });
    is_hot.store(false, Ordering::Relaxed);
    let (requests, mails) = runtime.block_on(async {
        (receiver.until(|all| all.len() > 1).await, sink.until(|all| all.len() > 1).await)
    });
    drop(monitoring);

    assert_eq!(occasions(&requests), ["OPENED", "RESOLVED"]);
    let secret = hook["signing_secret"].as_str().unwrap();
    assert!(requests.iter().all(|request| is_signed(request, secret)), "{requests:?}");
    assert_ne!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    let first = &requests[0].json()["data"]["notices"][0]["alert"];
    assert_eq!(
        (&first["title"], &first["severity"]),
        (&json!("The oven is hot"), &json!("CRITICAL"))
    );
    assert_eq!(
        subjects(&mails),
        ["Subject: [Alerting] The oven is hot", "Subject: [Resolved] The oven is hot"]
    );
    assert!(mails.iter().all(|mail| mail.to == ["ops@example.org"]), "{mails:?}");
    // Nothing waits, and nothing was given up.
    let states = eventually("what came of the last message is written down", || {
        let messages = server.ask("/api/v1/message/list", &json!({}));
        let messages = messages["results"].as_array().unwrap().clone();
        let states: Vec<Value> = messages.iter().map(|it| it["state"].clone()).collect();
        Some(states).filter(|all| all.iter().all(|state| state != "WAITING"))
    });
    assert_eq!(states, ["SENT"; 4]);
}
