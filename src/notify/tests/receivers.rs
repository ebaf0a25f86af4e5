//! Receivers on this machine: one of HTTP, one of mail. They keep what they get and answer as they are told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// How long something that has to arrive may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its method and target.
    pub line: String,
    /// Its headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Request {
    /// Its body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// One of its headers.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }
}

/// What is answered: a status, further headers, a body.
pub type Answer = (u16, &'static str, &'static str);

/// A mail that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who it is from, as the envelope says.
    pub from: String,
    /// Who it is for, as the envelope says.
    pub to: Vec<String>,
    /// All of it.
    pub text: String,
}

/// Keeps what arrives and wakes who waits for it.
#[derive(Debug)]
struct Shelf<T> {
    all: Mutex<Vec<T>>,
    arrived: Notify,
}

impl<T: Clone> Shelf<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self { all: Mutex::new(Vec::new()), arrived: Notify::new() })
    }

    fn put(&self, one: T) {
        self.all.lock().unwrap().push(one);
        self.arrived.notify_waiters();
    }

    fn all(&self) -> Vec<T> {
        self.all.lock().unwrap().clone()
    }

    async fn until(&self, enough: impl Fn(&[T]) -> bool) -> Vec<T> {
        let waiting = async {
            loop {
                let arrived = self.arrived.notified();
                let all = self.all();
                if enough(&all) {
                    return all;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it arrives in time")
    }
}

/// Takes requests.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    shelf: Arc<Shelf<Request>>,
}

impl Receiver {
    /// One that gives these answers, and the last of them again and again.
    pub async fn answering(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shelf = Shelf::new();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let kept = Arc::clone(&shelf);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&kept), Arc::clone(&answers)));
            }
        });
        Self { url, shelf }
    }

    /// One that takes all.
    pub async fn new() -> Self {
        Self::answering(&[(200, "", "ok")]).await
    }

    /// What arrived so far.
    pub fn taken(&self) -> Vec<Request> {
        self.shelf.all()
    }

    /// What arrived, once it is enough.
    pub async fn until(&self, enough: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        self.shelf.until(enough).await
    }
}

async fn serve(
    socket: TcpStream,
    kept: Arc<Shelf<Request>>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
) {
    let mut socket = BufReader::new(socket);
    while let Some(request) = request(&mut socket).await {
        kept.put(request);
        let (status, headers, body) = {
            let mut answers = answers.lock().unwrap();
            let next =
                if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
            next.unwrap_or((200, "", ""))
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n{body}");
        if socket.get_mut().write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(socket: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    socket.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        socket.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Request { line, headers, body })
}

/// Takes mail.
#[derive(Clone, Debug)]
pub struct MailSink {
    /// Where it listens, on this machine.
    pub port: u16,
    shelf: Arc<Shelf<Mail>>,
}

impl MailSink {
    /// One that takes mail for all but those who are answered here, by address.
    pub async fn refusing(refused: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shelf = Shelf::new();
        let kept = Arc::clone(&shelf);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(converse(socket, Arc::clone(&kept), refused));
            }
        });
        Self { port, shelf }
    }

    /// One that takes mail for all.
    pub async fn new() -> Self {
        Self::refusing(&[]).await
    }

    /// What arrived so far.
    pub fn taken(&self) -> Vec<Mail> {
        self.shelf.all()
    }

    /// What arrived, once it is enough.
    pub async fn until(&self, enough: impl Fn(&[Mail]) -> bool) -> Vec<Mail> {
        self.shelf.until(enough).await
    }
}

/// The little of SMTP that a sender needs.
async fn converse(
    socket: TcpStream,
    kept: Arc<Shelf<Mail>>,
    refused: &'static [(&'static str, &'static str)],
) -> Option<()> {
    let mut socket = BufReader::new(socket);
    let mut mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
    say(&mut socket, "220 sink").await?;
    loop {
        let line = heard(&mut socket).await?;
        let upper = line.to_uppercase();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if upper.starts_with("EHLO") || upper.starts_with("HELO") {
            say(&mut socket, "250 sink").await?;
        } else if upper.starts_with("MAIL FROM") {
            mail = Mail { from: address(), to: Vec::new(), text: String::new() };
            say(&mut socket, "250 ok").await?;
        } else if upper.starts_with("RCPT TO") {
            let refusal = refused.iter().find(|(who, _)| *who == address());
            if let Some((_, answer)) = refusal {
                say(&mut socket, answer).await?;
            } else {
                mail.to.push(address());
                say(&mut socket, "250 ok").await?;
            }
        } else if upper.starts_with("DATA") {
            say(&mut socket, "354 go on").await?;
            loop {
                let line = heard(&mut socket).await?;
                if line == "." {
                    break;
                }
                mail.text.push_str(&line);
                mail.text.push('\n');
            }
            kept.put(mail.clone());
            say(&mut socket, "250 taken").await?;
        } else if upper.starts_with("QUIT") {
            return say(&mut socket, "221 bye").await;
        } else {
            say(&mut socket, "250 ok").await?;
        }
    }
}

async fn say(socket: &mut BufReader<TcpStream>, line: &str) -> Option<()> {
    socket.get_mut().write_all(format!("{line}\r\n").as_bytes()).await.ok()
}

async fn heard(socket: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    socket.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    Some(line.trim_end_matches(['\r', '\n']).to_owned())
}
