//! A sender that may be rude: it runs the real program, and says whatever bytes it likes to it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use alertmill::clock::Stopwatch;
use serde_json::{Value, json};

/// How long anything may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server of our own, with data of its own.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    token: String,
    flags: Vec<String>,
    data: PathBuf,
    /// Where it logs; removed in the end.
    room: tempfile::TempDir,
}

/// Where a monitoring system posts.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// The webhook's identifier.
    pub(crate) webhook_id: String,
    /// The path with the key in it.
    pub(crate) path: String,
}

/// One connection, kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The headers, by lower-case name.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// Starts a server with an empty data directory.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::start_in(None, flags)
    }

    /// Starts a server that keeps its data in `data`.
    pub(crate) fn start_in(data: Option<&Path>, flags: &[&str]) -> Self {
        let room = tempfile::tempdir().unwrap();
        let data = data.map_or_else(|| room.path().join("data"), Path::to_owned);
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let log = room.path().join("log");
        let mut child = spawn(&data, &flags, &log);
        let address = listening(&mut child, &data, &log);
        let token = fs::read_to_string(data.join("admin.token")).unwrap().trim().to_owned();
        Self { child, address, token, flags, data, room }
    }

    /// Kills it as a power cut would, as far as a process can be.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, without waiting for it.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let signal = format!("-{name}");
        let told = Command::new("kill").args([&signal, &self.child.id().to_string()]).status();
        assert!(told.unwrap().success());
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        eventually("the server stops", || self.child.try_wait().unwrap())
    }

    /// Starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        let log = self.room.path().join("log");
        self.child = spawn(&self.data, &self.flags, &log);
        self.address = listening(&mut self.child, &self.data, &log);
    }

    /// Starts it again on the same data, at this address.
    pub(crate) fn restart_at(&mut self, address: &str) {
        self.flags.extend(["--listen".to_owned(), address.to_owned()]);
        self.restart();
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps its data.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.room.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How much memory it had at most, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// A new connection to it.
    pub(crate) fn connect(&self) -> Connection {
        self.try_connect().unwrap()
    }

    /// A new connection to it, unless it was killed meanwhile.
    pub(crate) fn try_connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&self.address(), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, unread: Vec::new() })
    }

    /// What the API answers to `asked`, which must succeed.
    pub(crate) fn ask(&self, path: &str, asked: &Value) -> Value {
        let answer = self.connect().call(&self.token, ("POST", path), Some(asked)).unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// What the API answers to GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.connect().call(&self.token, ("GET", path), None).unwrap()
    }

    /// The bytes of a request that asks the API.
    pub(crate) fn request(&self, path: &str, asked: &Value) -> Vec<u8> {
        let bearer = format!("Bearer {}", self.token);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        request("POST", path, &headers, asked.to_string().as_bytes())
    }

    /// A new webhook.
    pub(crate) fn webhook(&self, provider: &str, name: &str) -> Door {
        let asked = json!({ "provider": provider, "name": name, "project_id": "default" });
        let made = self.ask("/monitoring/v1/webhook/create", &asked);
        let url = made["url"].as_str().unwrap();
        let path = url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap();
        Door { webhook_id: made["webhook_id"].as_str().unwrap().to_owned(), path }
    }

    /// Every event of the project of its webhooks, page by page, without the payload that it came in. A nearly full disk is
    /// an event of its own, in a project of its own.
    pub(crate) fn events(&self) -> Vec<Value> {
        let only = ["event_id", "event_key", "alert_id", "webhook_id", "delivery_id"];
        self.all("/monitoring/v1/event/list", &json!({ "only": only, "filter": of_default() }))
    }

    /// Every alert of the project of its webhooks, page by page.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        self.all("/monitoring/v1/alert/list", &json!({ "filter": of_default() }))
    }

    /// Every row of a list, page by page.
    pub(crate) fn all(&self, path: &str, query: &Value) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), Value::Null);
        let mut connection = self.connect();
        loop {
            let mut asked = json!({ "query": query });
            if !cursor.is_null() {
                asked["query"]["page"] = json!({ "cursor": cursor });
            }
            let answer = connection.call(&self.token, ("POST", path), Some(&asked)).unwrap();
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let mut page = answer.json();
            rows.extend(page["results"].as_array().unwrap().iter().cloned());
            cursor = page["next_cursor"].take();
            if cursor.is_null() {
                return rows;
            }
        }
    }

    /// The deliveries of `receipt_ids`, as they are kept now; `None` for what is not there.
    pub(crate) fn deliveries<'a>(
        &self,
        receipt_ids: impl IntoIterator<Item = &'a str>,
    ) -> Vec<Option<Value>> {
        let mut connection = self.connect();
        let mut receipt = |id: &str| {
            let path = format!("/api/v1/deliveries/{id}");
            let answer = connection.call(&self.token, ("GET", &path), None).unwrap();
            (answer.status == 200).then(|| answer.json())
        };
        receipt_ids.into_iter().map(&mut receipt).collect()
    }

    /// How many deliveries a webhook says that it took.
    pub(crate) fn taken(&self, door: &Door) -> u64 {
        let asked = json!({ "webhook_id": door.webhook_id });
        let webhook = self.ask("/monitoring/v1/webhook/get", &asked);
        webhook["requests"]["total"].as_u64().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let tail = log.len().saturating_sub(4000);
            let _ = io::stderr().write_all(log.get(tail..).unwrap_or(&log).as_bytes());
        }
    }
}

fn of_default() -> Value {
    json!([{ "k": "project_id", "v": "default", "o": "eq" }])
}

fn spawn(data: &Path, flags: &[String], log: &Path) -> Child {
    // What the server before it left behind would be taken for its own.
    let _ = fs::remove_file(data.join("server.json"));
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    command.args(["serve", "--data"]).arg(data).args(flags);
    if !flags.iter().any(|flag| flag == "--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// Where the server listens, once it does.
fn listening(child: &mut Child, data: &Path, log: &Path) -> SocketAddr {
    let file = data.join("server.json");
    eventually("the server listens", || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("the server ended: {status}\n{}", fs::read_to_string(log).unwrap_or_default());
        }
        let said: Value = serde_json::from_str(&fs::read_to_string(&file).ok()?).ok()?;
        said["url"].as_str()?.strip_prefix("http://")?.parse().ok()
    })
}

/// What `look` finds, once it finds something.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(watch.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Connection {
    /// Sends these bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Sends no more.
    pub(crate) fn hang_up(&self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// Posts `body`.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<Answer> {
        self.post_with(path, &[("Content-Type", "application/json")], body)
    }

    /// Posts `body` with these headers.
    pub(crate) fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.send(&request("POST", path, headers, body))?;
        self.answer()
    }

    /// Calls the API.
    pub(crate) fn call(
        &mut self,
        token: &str,
        (method, path): (&str, &str),
        asked: Option<&Value>,
    ) -> io::Result<Answer> {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        let body = asked.map(Value::to_string).unwrap_or_default();
        self.send(&request(method, path, &headers, body.as_bytes()))?;
        self.answer()
    }

    /// The next answer. `UnexpectedEof` where the server closed the connection instead.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.more()?;
        };
        let head: Vec<u8> = self.unread.drain(..end).collect();
        let head = String::from_utf8_lossy(&head);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").and_then(|value| value.parse().ok());
        let length: usize = length.unwrap_or(0);
        while self.unread.len() < length {
            self.more()?;
        }
        answer.body = self.unread.drain(..length).collect();
        Ok(answer)
    }

    fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.unread.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

/// A request, as it goes over the wire.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "{method} {path} HTTP/1.1\r\nHost: alertmill\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        bytes.extend([name, ": ", value, "\r\n"]);
    }
    bytes.push_str("\r\n");
    [bytes.as_bytes(), body].concat()
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it is a promise: what was posted is on disk.
    pub(crate) fn is_promise(&self) -> bool {
        self.status == 200 || self.status == 202
    }
}
