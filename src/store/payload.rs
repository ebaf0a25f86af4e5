//! What was posted, packed for storage on the caller's thread: headers and query as one line of JSON, then the body.

use std::{cell::RefCell, collections::BTreeMap, io::Read};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compress, Compression, FlushCompress, Status, read::ZlibDecoder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// From this size on, in bytes, a payload is compressed; below, it costs more than it saves.
const COMPRESS_FROM: usize = 2048;

/// Headers, query and body of a delivery, packed for storage on the caller's thread.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Whether `content` is compressed.
    pub packing: Packing,
    /// The bytes.
    pub content: Vec<u8>,
}

/// How a payload is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// Compressed by zlib.
    Zlib,
}

/// What was posted, unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// The headers by lower-case name, without those that carry credentials.
    pub headers: BTreeMap<String, String>,
    /// The parameters of the query string.
    pub query: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The first line of a packed payload.
#[derive(Serialize)]
struct Head<'a> {
    headers: &'a BTreeMap<String, String>,
    query: &'a BTreeMap<String, String>,
}

/// The first line of a packed payload, read back.
#[derive(Deserialize)]
struct KeptHead {
    headers: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
}

impl Payload {
    /// Packs what was posted.
    pub fn pack(
        headers: &BTreeMap<String, String>,
        query: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Result<Self> {
        let mut content = Vec::with_capacity(body.len() + 256);
        serde_json::to_writer(&mut content, &Head { headers, query }).map_err(Error::internal)?;
        content.push(b'\n');
        content.extend_from_slice(body);
        if content.len() < COMPRESS_FROM {
            return Ok(Self { packing: Packing::Plain, content });
        }
        Ok(Self { packing: Packing::Zlib, content: compressed(&content)? })
    }

    /// Unpacks what was posted.
    ///
    /// # Errors
    /// Where what is stored is damaged.
    pub fn unpack(self) -> Result<Posted> {
        let content = match self.packing {
            Packing::Plain => self.content,
            Packing::Zlib => {
                let mut content = Vec::new();
                let mut packed = ZlibDecoder::new(self.content.as_slice());
                packed.read_to_end(&mut content).map_err(Error::internal)?;
                content
            }
        };
        let end = content
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| Error::internal("a payload begins with a line of JSON"))?;
        let head: KeptHead = serde_json::from_slice(&content[..end]).map_err(Error::internal)?;
        let KeptHead { headers, query } = head;
        Ok(Posted { headers, query, body: content[end + 1..].to_vec() })
    }
}

impl Posted {
    /// The body as it is shown: its JSON, or its text where it is none; bytes that are no text in base64.
    pub fn shown(self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| match String::from_utf8(self.body) {
            Ok(text) => Value::String(text),
            Err(bytes) => json!({ "base64": STANDARD.encode(bytes.as_bytes()) }),
        })
    }
}

thread_local! {
    /// A compressor is large and slow to make, so each thread keeps one.
    static COMPRESSOR: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
}

fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        let mut packed = Vec::with_capacity(content.len());
        loop {
            let done = usize::try_from(compressor.total_in()).unwrap_or(usize::MAX);
            let left = content.get(done..).unwrap_or_default();
            let ended = compressor.compress_vec(left, &mut packed, FlushCompress::Finish);
            if ended.map_err(Error::internal)? == Status::StreamEnd {
                packed.shrink_to_fit();
                return Ok(packed);
            }
            // What cannot be compressed grows by a few bytes.
            packed.reserve(content.len() / 16 + 64);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_byte_for_byte() {
        let headers = BTreeMap::from([("content-type".to_owned(), "text/\"plain\"".to_owned())]);
        let query = BTreeMap::from([("a".to_owned(), "b\nc".to_owned())]);
        for body in [Vec::new(), b"\xff\x00\n{".to_vec(), vec![b'x'; 100_000], noise(50_000)] {
            let packed = Payload::pack(&headers, &query, &body).unwrap();
            assert!(packed.content.len() < body.len() + 300, "it grows by its headers at most");
            let posted = packed.unpack().unwrap();
            assert_eq!(posted, Posted { headers: headers.clone(), query: query.clone(), body });
        }
    }

    #[test]
    fn a_long_body_is_compressed() {
        let packed =
            Payload::pack(&BTreeMap::new(), &BTreeMap::new(), &vec![b'x'; 100_000]).unwrap();
        assert_eq!(packed.packing, Packing::Zlib);
        assert!(packed.content.len() < 3000);
    }

    /// Bytes that cannot be compressed.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }
}
