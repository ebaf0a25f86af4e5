//! A file to import, whatever it looks like: as lines, in the order in which its records arrived.
//!
//! What is no plain file of lines is first written to one that bears no name. A file that begins with its newest record,
//! as exports do, is read from its end, so that rows come to stand in the order of arrival as they did.

use std::{
    env, fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process,
};

use flate2::read::MultiGzDecoder;
use serde::{
    Deserializer as _,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{super::Failure, backwards::Backwards};

/// How many lines are sent at once.
const LINES: usize = 1000;

/// About how many bytes are sent at once.
const BYTES: usize = 4 << 20;

/// What a compressed file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The members of a list's answer, with one of which a document begins.
const MEMBERS: [&str; 4] = ["results", "total_count", "total_capped", "next_cursor"];

/// How far the beginning of a file is looked at, in bytes.
const PEEK: usize = 64 << 10;

/// A file of lines.
#[derive(Debug)]
pub(super) struct Source {
    name: String,
    bytes: u64,
    /// The number of the line that comes next.
    next: u64,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    Forwards(BufReader<File>),
    Backwards(Backwards),
}

/// Lines that are sent together.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// The lines.
    pub(super) body: Vec<u8>,
    /// Their numbers in the file, from one.
    pub(super) lines: Vec<u64>,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let opened = plain(path).and_then(|file| Self::of(name.clone(), file));
        opened.map_err(|cause| Failure::usage(format!("`{name}` cannot be read: {cause}.")))
    }

    /// The size of all of it.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn of(name: String, mut file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        file.rewind()?;
        let mut reader = BufReader::with_capacity(PEEK, file);
        let Ends { lines, first, last } = ends(&mut reader)?;
        let mut file = reader.into_inner();
        file.rewind()?;
        let is_newest_first = first.zip(last).is_some_and(|(first, last)| first > last);
        let (next, lines) = if is_newest_first {
            (lines, Lines::Backwards(Backwards::new(file, bytes)))
        } else {
            (1, Lines::Forwards(BufReader::with_capacity(PEEK, file)))
        };
        Ok(Self { name, bytes, next, lines })
    }

    /// The next lines; `None` where there are no more.
    pub(super) fn chunk(&mut self) -> Result<Option<Chunk>, Failure> {
        let read = self.read();
        read.map_err(|cause| Failure::usage(format!("`{}` cannot be read: {cause}.", self.name)))
    }

    fn read(&mut self) -> io::Result<Option<Chunk>> {
        let mut chunk = Chunk::default();
        while chunk.lines.len() < LINES && chunk.body.len() < BYTES {
            let number = self.next;
            let line = match &mut self.lines {
                Lines::Forwards(reader) => {
                    self.next += 1;
                    let mut line = Vec::new();
                    (reader.read_until(b'\n', &mut line)? > 0).then_some(line)
                }
                Lines::Backwards(backwards) => {
                    self.next = self.next.saturating_sub(1);
                    backwards.line()?
                }
            };
            let Some(line) = line else { break };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            chunk.body.extend_from_slice(line);
            chunk.body.push(b'\n');
            chunk.lines.push(number);
        }
        Ok((!chunk.lines.is_empty()).then_some(chunk))
    }
}

/// How many lines there are, and where the first and the last record stand in the order of arrival.
#[derive(Debug, Default)]
struct Ends {
    lines: u64,
    first: Option<(String, String)>,
    last: Option<(String, String)>,
}

fn ends(reader: &mut impl BufRead) -> io::Result<Ends> {
    let mut ends = Ends::default();
    let (mut line, mut last) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 || line.last() == Some(&b'\n') {
            ends.lines += 1;
        }
        if !line.trim_ascii().is_empty() {
            if ends.first.is_none() {
                ends.first = place(&line);
            }
            std::mem::swap(&mut line, &mut last);
        }
        if read == 0 {
            break;
        }
    }
    ends.last = place(&last);
    Ok(ends)
}

/// When a record arrived, and its identifier, which sorts by birth where it is one of ours.
fn place(line: &[u8]) -> Option<(String, String)> {
    let record: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| record.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("event_id").or_else(|| text("alert_id")).unwrap_or_default();
    Some((text("created_at")?, id))
}

/// The file as a plain file of lines.
fn plain(path: &Path) -> io::Result<File> {
    let is_input = path.as_os_str() == "-";
    let file: Box<dyn Read> =
        if is_input { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let mut raw = BufReader::with_capacity(PEEK, file);
    let is_packed = raw.fill_buf()?.starts_with(&GZIP);
    let unpacked: Box<dyn Read> =
        if is_packed { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };
    let mut reader = BufReader::with_capacity(PEEK, unpacked);
    if is_document(reader.fill_buf()?) {
        let mut spool = BufWriter::new(nameless()?);
        let mut json = serde_json::Deserializer::from_reader(reader);
        json.deserialize_any(Document(&mut spool)).map_err(io::Error::other)?;
        return spool.into_inner().map_err(io::IntoInnerError::into_error);
    }
    if !is_input && !is_packed && fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    let mut spool = nameless()?;
    io::copy(&mut reader, &mut spool)?;
    Ok(spool)
}

/// Whether a file is one JSON document with all records, and not one record a line.
fn is_document(start: &[u8]) -> bool {
    let start = start.trim_ascii_start();
    if start.first() == Some(&b'[') {
        return true;
    }
    let inner = start.strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
    MEMBERS.iter().any(|member| inner.starts_with(format!("\"{member}\"").as_bytes()))
}

/// A file that goes when it is closed.
fn nameless() -> io::Result<File> {
    for attempt in 0..u32::MAX {
        let name = format!("alertmill-import-{}-{attempt}", process::id());
        let path = env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        match options.read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
            opened => {
                let file = opened?;
                fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
    Err(io::Error::other("there is no room for a temporary file"))
}

/// Writes the records of a document down, one a line, as they are read.
struct Document<'w, W>(&'w mut W);

impl<'de, W: Write> Visitor<'de> for Document<'_, W> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records, or an object with `results`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        while let Some(record) = records.next_element::<Value>()? {
            writeln!(self.0, "{record}").map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = members.next_key::<String>()? {
            if name == "results" {
                members.next_value_seed(Document(&mut *self.0))?;
                found = true;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("it has no `results`")) }
    }
}

impl<'de, W: Write> DeserializeSeed<'de> for Document<'_, W> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u64, String)> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, bytes).unwrap();
        let mut source = Source::open(&path).unwrap();
        let mut found = Vec::new();
        while let Some(Chunk { body, lines }) = source.chunk().unwrap() {
            assert!(lines.len() <= LINES);
            let body = String::from_utf8(body).unwrap();
            found.extend(lines.into_iter().zip(body.lines().map(str::to_owned)));
        }
        found
    }

    fn record(second: u32) -> String {
        format!("{{\"created_at\":\"2026-01-01T00:00:{second:02}.000Z\",\"event_id\":\"e\"}}")
    }

    #[test]
    fn records_come_in_the_order_of_arrival_whatever_the_file_looks_like() {
        let (one, two, three) = (record(1), record(2), record(3));
        let forwards = format!("{one}\n\n{two}\n{three}");
        let expected = vec![(1, one.clone()), (3, two.clone()), (4, three.clone())];
        assert_eq!(read(forwards.as_bytes()), expected);
        let backwards = format!("{three}\n{two}\n\n{one}\n");
        let expected = vec![(4, one.clone()), (2, two.clone()), (1, three.clone())];
        assert_eq!(read(backwards.as_bytes()), expected);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(backwards.as_bytes()).unwrap();
        assert_eq!(read(&packed.finish().unwrap()), expected);
        let expected = vec![(3, one.clone()), (2, two.clone()), (1, three.clone())];
        for document in [
            format!("{{ \"results\": [\n{three},\n{two}, {one}], \"total_count\": 3 }}"),
            format!("{{\"next_cursor\":\"x\",\"results\":[{three},{two},{one}]}}"),
            format!(" [{three},{two},{one}]"),
        ] {
            assert_eq!(read(document.as_bytes()), expected, "{document}");
        }
        assert!(read(b"").is_empty() && read(b"{\"results\": []}").is_empty());
    }

    #[test]
    fn many_lines_come_in_chunks() {
        let text: Vec<String> = (0..2500).map(|line| format!("{{\"n\":{line}}}")).collect();
        assert_eq!(read(text.join("\n").as_bytes()).len(), 2500);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let missing = Source::open(Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(missing.starts_with("`/nowhere/at/all` cannot be read: "), "{missing}");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("broken");
        fs::write(&path, "{\"results\": [1, ").unwrap();
        assert!(Source::open(&path).unwrap_err().to_string().contains("EOF"));
    }
}
