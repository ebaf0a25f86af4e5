//! What was posted, packed for storage on the caller's thread: headers and query as one line of JSON, then the body.

use std::{cell::RefCell, collections::BTreeMap, io::Read};

use flate2::{Compress, Compression, FlushCompress, Status, read::ZlibDecoder};
use serde::{Deserialize, Serialize};

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

thread_local! {
    /// Its tables are large: to make them anew for each delivery costs as much as to use them.
    static PACKER: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));
}

fn compressed(content: &[u8]) -> Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        packer.reset();
        let mut packed = Vec::with_capacity(content.len() / 2);
        loop {
            let read = usize::try_from(packer.total_in()).map_err(Error::internal)?;
            let rest = content.get(read..).unwrap_or_default();
            let status = packer.compress_vec(rest, &mut packed, FlushCompress::Finish);
            if status.map_err(Error::internal)? == Status::StreamEnd {
                return Ok(packed);
            }
            packed.reserve(content.len() / 2 + 64);
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
        for body in [Vec::new(), b"\xff\x00\n{".to_vec(), vec![b'x'; 100_000]] {
            let packed = Payload::pack(&headers, &query, &body).unwrap();
            assert!(packed.content.len() < 3000, "long bodies are compressed");
            let posted = packed.unpack().unwrap();
            assert_eq!(posted, Posted { headers: headers.clone(), query: query.clone(), body });
        }
    }
}
