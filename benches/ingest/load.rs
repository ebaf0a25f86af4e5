//! The senders: one thread, many connections that are kept alive, and no more work per request than must be.

use std::{
    cell::{Cell, RefCell},
    io,
    net::SocketAddr,
    rc::Rc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use alertmill::clock::Stopwatch;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::LocalSet,
};

use super::body::{Body, Keys};

/// The next fingerprint that nobody posted before.
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// What is posted, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where the server listens.
    pub(crate) address: SocketAddr,
    /// The paths that are posted to, in turn.
    pub(crate) paths: Rc<Vec<String>>,
    /// What is posted.
    pub(crate) body: Body,
    /// Whose keys it has.
    pub(crate) keys: Keys,
    /// On how many connections.
    pub(crate) connections: usize,
    /// When it ends.
    pub(crate) until: Until,
}

/// When posting ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Time(Duration),
    /// After so many posts.
    Count(u64),
}

/// What was heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    /// How long it took.
    pub(crate) took: Duration,
    /// How long each answer took, in nanoseconds, shortest first.
    pub(crate) latencies: Vec<u32>,
    /// The answers that were not expected, by status.
    pub(crate) unexpected: Vec<u16>,
}

impl Heard {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The time within which `share` of all answers came, in microseconds.
    pub(crate) fn within(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).map_or(0.0, |&nanos| f64::from(nanos) / 1000.0)
    }
}

/// What all connections share.
struct Round {
    plan: Plan,
    watch: Stopwatch,
    left: Cell<u64>,
    turn: Cell<usize>,
    heard: RefCell<Heard>,
    expected: u16,
}

/// Those who send.
pub(crate) struct Senders(Runtime);

impl Senders {
    pub(crate) fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build().map(Self)
    }

    /// Posts by `plan`; every answer should have the status `expected`.
    pub(crate) fn post(&self, plan: Plan, expected: u16) -> io::Result<Heard> {
        LocalSet::new().block_on(&self.0, posted(plan, expected))
    }
}

async fn posted(plan: Plan, expected: u16) -> io::Result<Heard> {
    let mut streams = Vec::new();
    for _ in 0..plan.connections {
        let stream = TcpStream::connect(plan.address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let left = match plan.until {
        Until::Time(_) => u64::MAX,
        Until::Count(count) => count,
    };
    let round = Rc::new(Round {
        plan,
        watch: Stopwatch::start(),
        left: Cell::new(left),
        turn: Cell::new(0),
        heard: RefCell::default(),
        expected,
    });
    let senders: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::task::spawn_local(send(stream, Rc::clone(&round))))
        .collect();
    for sender in senders {
        sender.await.map_err(io::Error::other)??;
    }
    let mut heard = round.heard.take();
    heard.took = round.watch.elapsed();
    heard.latencies.sort_unstable();
    Ok(heard)
}

async fn send(mut stream: TcpStream, round: Rc<Round>) -> io::Result<()> {
    let mut body = round.plan.body.clone();
    let (mut sent, mut answer) = (Vec::with_capacity(32 * 1024), vec![0; 64 * 1024]);
    while round.goes_on() {
        round.write(&mut body, &mut sent);
        let watch = Stopwatch::start();
        stream.write_all(&sent).await?;
        let status = read_answer(&mut stream, &mut answer).await?;
        let nanos = u32::try_from(watch.elapsed().as_nanos()).unwrap_or(u32::MAX);
        let mut heard = round.heard.borrow_mut();
        heard.latencies.push(nanos);
        if status != round.expected {
            heard.unexpected.push(status);
        }
    }
    Ok(())
}

impl Round {
    fn goes_on(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        match self.plan.until {
            Until::Time(time) => self.watch.elapsed() < time,
            Until::Count(_) => left > 0,
        }
    }

    /// Writes the next request.
    fn write(&self, body: &mut Body, sent: &mut Vec<u8>) {
        let turn = self.turn.get();
        self.turn.set((turn + 1) % self.plan.paths.len());
        body.name(self.plan.keys, NEXT_KEY.fetch_add(16, Ordering::Relaxed));
        sent.clear();
        sent.extend_from_slice(b"POST ");
        sent.extend_from_slice(self.plan.paths[turn].as_bytes());
        sent.extend_from_slice(
            b" HTTP/1.1\r\nHost: alertmill\r\nUser-Agent: Alertmanager/0.28.1\r\nContent-Type: application/json\r\nContent-Length: ",
        );
        sent.extend_from_slice(body.text().len().to_string().as_bytes());
        sent.extend_from_slice(b"\r\n\r\n");
        sent.extend_from_slice(body.text());
    }
}

/// Reads one answer, and gives its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += read;
        if let Some(status) = whole_answer(&buffer[..filled]) {
            return Ok(status);
        }
    }
}

/// The status of an answer that is complete.
fn whole_answer(bytes: &[u8]) -> Option<u16> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length: usize = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
        })
        .unwrap_or(0);
    (bytes.len() >= end + 4 + length).then_some(status)
}
