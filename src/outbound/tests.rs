//! What may be called, and what may not however it is named.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

use super::{names::only_public, *};

/// A server that answers one request, and says what it was.
async fn server(answer: &'static str) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 4096];
        let length = socket.read(&mut request).await.unwrap();
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (port, served)
}

fn post(url: &str) -> Post<'_> {
    let headers = vec![("x-a".to_owned(), "b".to_owned())];
    Post { url, content_type: "application/json", headers, body: b"{}".to_vec() }
}

const REDIRECT: &str =
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";

/// Thirty ways to name an address that must not be reached, each as the host of an address.
const FORBIDDEN: [&str; 30] = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "１２７。０。０。１",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "100.100.100.200",
    "168.63.129.16",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
];

#[tokio::test]
async fn thirty_names_of_forbidden_addresses_are_refused() {
    let (port, served) = server(REDIRECT).await;
    let outbound = Outbound::new(AllowPrivate::No);
    for host in FORBIDDEN {
        let url = format!("https://{host}:{port}/a");
        for refused in [outbound.get(&url).await.err(), outbound.post(post(&url)).await.err()] {
            let refused = refused.unwrap_or_else(|| panic!("{host} was reached"));
            assert!(matches!(refused, OutboundError::Private(_)), "{host}: {refused}");
            assert!(refused.is_final());
        }
    }
    assert!(!served.is_finished());
}

#[tokio::test]
async fn names_of_forbidden_addresses_are_refused_once_they_are_resolved() {
    let outbound = Outbound::new(AllowPrivate::No);
    for host in ["localhost", "LOCALHOST"] {
        let refused = outbound.get(&format!("https://{host}:1/a")).await.unwrap_err();
        assert!(matches!(refused, OutboundError::Private(_)), "{host}: {refused}");
        let refused = outbound.address_of(host, 25).await.unwrap_err();
        assert!(matches!(refused, OutboundError::Private(_)), "{host}: {refused}");
    }
}

#[tokio::test]
async fn what_is_not_the_web_is_refused() {
    let outbound = Outbound::new(AllowPrivate::Yes);
    for url in ["file:///etc/passwd", "gopher://127.0.0.1:25/_", "ftp://127.0.0.1/", "data:,a"] {
        let refused = outbound.get(url).await.unwrap_err();
        assert!(matches!(refused, OutboundError::NoWeb), "{url}: {refused}");
    }
    let refused = outbound.get("https://public.example@127.0.0.1/").await.unwrap_err();
    assert!(matches!(refused, OutboundError::Credentials), "{refused}");
    for url in ["", "//127.0.0.1/", "https://", "https://[::1", "http:/ /"] {
        assert!(outbound.get(url).await.unwrap_err().is_final(), "{url}");
    }
}

/// What answers the first question for a name with a public address and each later one with our own.
fn rebinding() -> (Names, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let tell = move |_: &str| -> Vec<IpAddr> {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        vec![if first { "1.1.1.1" } else { "127.0.0.1" }.parse().unwrap()]
    };
    (Names::Told(Arc::new(tell)), asked)
}

#[tokio::test]
async fn a_name_that_resolves_to_something_else_the_second_time_gains_nothing() {
    let (port, served) = server(REDIRECT).await;
    let (names, asked) = rebinding();
    let outbound = Outbound { names, ..Outbound::new(AllowPrivate::No) };
    // Whoever looks first sees a public address,
    let seen = outbound.address_of("rebinding.example", port).await.unwrap();
    assert_eq!(seen.ip().to_string(), "1.1.1.1");
    // and what connects asks once more, and goes by what it hears then.
    let url = format!("https://rebinding.example:{port}/a");
    let refused = outbound.post(post(&url)).await.unwrap_err();
    assert!(matches!(refused, OutboundError::Private(_)), "{refused}");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert!(!served.is_finished());
}

#[tokio::test]
async fn of_a_name_with_two_addresses_the_public_one_is_taken() {
    let tell = |_: &str| vec!["10.0.0.1".parse().unwrap(), "1.1.1.1".parse().unwrap()];
    let names = Names::Told(Arc::new(tell));
    let outbound = Outbound { names, ..Outbound::new(AllowPrivate::No) };
    let seen = outbound.address_of("two.example", 25).await.unwrap();
    assert_eq!(seen.to_string(), "1.1.1.1:25");
    let addresses = |all: &[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
    assert!(only_public(addresses(&["10.0.0.1:0", "[::1]:0"])).is_err());
}

#[tokio::test]
async fn a_private_address_is_reached_only_where_that_is_allowed() {
    let (port, served) = server(REDIRECT).await;
    let refusing = Outbound::new(AllowPrivate::No);
    let refused = refusing.get(&format!("http://127.0.0.1:{port}/a")).await.unwrap_err();
    assert!(matches!(refused, OutboundError::NotHttps), "{refused}");
    assert!(!served.is_finished());

    let allowing = Outbound::new(AllowPrivate::Yes);
    let status = allowing.get(&format!("http://localhost:{port}/b?c=d")).await.unwrap();
    // The redirect is answered as it came, and not followed.
    assert_eq!(status, 302);
    assert!(served.await.unwrap().starts_with("GET /b?c=d HTTP/1.1\r\n"));
}

#[tokio::test]
async fn what_is_posted_arrives_and_what_is_answered_is_read() {
    let (port, served) =
        server("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nslow")
            .await;
    let outbound = Outbound::new(AllowPrivate::Yes);
    let answer = outbound.post(post(&format!("http://127.0.0.1:{port}/in"))).await.unwrap();
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(answer, Answer { status: 429, retry_after, body: "slow".to_owned() });
    let request = served.await.unwrap();
    assert!(request.starts_with("POST /in HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-a: b\r\n") && request.ends_with("{}"), "{request}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while socket.write_all(&[b'a'; 4096]).await.is_ok() {}
    });
    let outbound = Outbound::new(AllowPrivate::Yes);
    let answer = outbound.post(post(&format!("http://127.0.0.1:{port}/"))).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, MOST_BYTES));
}

#[tokio::test]
async fn what_fails_says_why_and_not_where() {
    let outbound = Outbound::new(AllowPrivate::Yes);
    let failed = outbound.get("http://127.0.0.1:1/secret").await.unwrap_err();
    assert!(!failed.is_final());
    let failed = failed.to_string();
    assert!(failed.contains("refused") && !failed.contains("secret"), "{failed}");
}

#[tokio::test]
async fn a_host_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let outbound = Outbound::new(AllowPrivate::Yes).patient(Duration::from_millis(50));
    let failed = outbound.get(&format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(!failed.is_final() && failed.to_string().contains("timed out"), "{failed}");
}
