//! Somebody whom messages are sent to: an HTTP server on this machine that keeps what it gets and answers as it is told.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Received {
    /// The headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
    /// How it was answered.
    pub reply: Reply,
}

/// What a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This status.
    Status(u16),
    /// This status, and to come back after so many seconds.
    Later(u16, u32),
    /// Nothing, until the sender gives up.
    Silence,
}

type Answers = Box<dyn FnMut(&Received) -> Reply + Send>;

/// An HTTP server that keeps what it gets.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Answers>>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(header, _)| header == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The message's identifier, which is the same at each attempt.
    pub fn key(&self) -> String {
        self.header("webhook-id").to_owned()
    }
}

impl Receiver {
    /// One that takes everything.
    pub fn new() -> Self {
        Self::answering(|_| Reply::Status(200))
    }

    /// One that answers like this.
    pub fn answering(answers: impl FnMut(&Received) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            got: Arc::default(),
            answers: Arc::new(Mutex::new(Box::new(answers))),
        };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(stream));
            }
        });
        receiver
    }

    /// Answers like this from now on.
    pub fn answers(&self, answers: impl FnMut(&Received) -> Reply + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// All it got so far, in order.
    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    /// How much it got so far.
    pub fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// What it got since it was asked last.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }

    fn serve(&self, mut stream: TcpStream) {
        while let Some((headers, body)) = read(&mut stream) {
            let mut received = Received { headers, body, reply: Reply::Silence };
            let reply = (self.answers.lock().unwrap())(&received);
            received.reply = reply;
            self.got.lock().unwrap().push(received);
            let (status, more) = match reply {
                Reply::Status(status) => (status, String::new()),
                Reply::Later(status, seconds) => (status, format!("Retry-After: {seconds}\r\n")),
                Reply::Silence => {
                    // The sender hangs up when it has waited enough.
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
                    let _ = stream.read(&mut [0; 1]);
                    return;
                }
            };
            let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n{more}\r\nok");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Names and values.
type Headers = Vec<(String, String)>;

/// The headers and the body of the next request.
fn read(stream: &mut TcpStream) -> Option<(Headers, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 8192];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: Vec<(String, String)> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    let mut body = bytes.split_off(end);
    while body.len() < length {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(count) => body.extend_from_slice(&part[..count]),
        }
    }
    Some((headers, body))
}
