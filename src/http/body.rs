//! Reads bodies within limits: of size as sent, of size once inflated, and of time.

use std::io::Read;

use actix_web::{
    error::PayloadError,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap},
    web::{BytesMut, Payload},
};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt;

use crate::{
    config::Config,
    error::{Code, Error, Result},
};

/// How far beyond the limit a body is read and thrown away, so that its sender gets to see the answer.
const DRAINED: usize = 8;

/// A body, and whether it came compressed.
#[derive(Debug)]
pub(super) struct Body {
    /// The bytes, inflated.
    pub(super) bytes: Vec<u8>,
    /// Whether they were compressed as sent.
    pub(super) was_compressed: bool,
}

/// Reads a body.
pub(super) async fn read(headers: &HeaderMap, payload: Payload, config: &Config) -> Result<Body> {
    read_up_to(config.max_body.0, headers, payload, config).await
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read_up_to(
    limit: usize,
    headers: &HeaderMap,
    payload: Payload,
    config: &Config,
) -> Result<Body> {
    let reading = read_raw(headers, payload, limit);
    let Ok(raw) = tokio::time::timeout(config.body_timeout.0, reading).await else {
        return Err(too_slow(config));
    };
    inflate(headers, raw?, limit)
}

/// Reads what is left of a body and forgets it, so that its sender gets to see the answer.
pub(super) async fn drain(mut payload: Payload, config: &Config) {
    let draining = async {
        let mut left = config.max_body.0.saturating_mul(DRAINED);
        while let Some(Ok(chunk)) = payload.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    // Whoever is too slow sees no answer then; nothing else depends on it.
    let _ = tokio::time::timeout(config.body_timeout.0, draining).await;
}

async fn read_raw(headers: &HeaderMap, mut payload: Payload, limit: usize) -> Result<Vec<u8>> {
    let announced: Option<usize> = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(limit));
    let mut seen = 0usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(bad_transfer)?;
        seen = seen.saturating_add(chunk.len());
        if seen <= limit {
            body.extend_from_slice(&chunk);
        } else if seen > limit.saturating_mul(DRAINED) {
            break;
        }
    }
    if seen > limit { Err(too_large(limit)) } else { Ok(body.into()) }
}

/// Undoes the encoding that the headers name. An encoding that we do not know is left to whoever reads the body.
fn inflate(headers: &HeaderMap, raw: Vec<u8>, limit: usize) -> Result<Body> {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let bytes = match encoding.as_str() {
        "gzip" | "x-gzip" => read_at_most(MultiGzDecoder::new(raw.as_slice()), limit)?,
        "deflate" => read_at_most(ZlibDecoder::new(raw.as_slice()), limit)?,
        _ => return Ok(Body { bytes: raw, was_compressed: false }),
    };
    Ok(Body { bytes, was_compressed: true })
}

fn read_at_most(source: impl Read, limit: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match source.take(most).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(bytes),
        Err(cause) => {
            Err(Error::new(Code::BadTransfer, "the body cannot be decompressed").because(cause))
        }
    }
}

fn bad_transfer(cause: PayloadError) -> Error {
    Error::new(Code::BadTransfer, "the body was cut short").because(cause.to_string())
}

fn too_large(limit: usize) -> Error {
    let limit = crate::config::ByteSize(limit);
    Error::new(Code::PayloadTooLarge, format!("a body may have {limit}, decompressed"))
}

fn too_slow(config: &Config) -> Error {
    let seconds = config.body_timeout.0.as_secs_f64();
    Error::new(Code::RequestTimeout, format!("a body must arrive within {seconds} seconds"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use actix_web::http::header::HeaderValue;
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn encoded(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        headers
    }

    #[test]
    fn a_compressed_body_is_measured_inflated() {
        let bomb = gzip(&vec![0; 5 << 20]);
        assert!(bomb.len() < 8192);
        let refused = inflate(&encoded("gzip"), bomb, 1 << 20).unwrap_err();
        assert_eq!(refused.code, Code::PayloadTooLarge);
        let body = inflate(&encoded("GZip"), gzip(b"{}"), 1 << 20).unwrap();
        assert_eq!((body.bytes.as_slice(), body.was_compressed), (b"{}".as_slice(), true));
    }

    #[test]
    fn a_broken_stream_is_a_bad_transfer() {
        let mut cut = gzip(b"a body that is long enough to be cut in the middle");
        cut.truncate(cut.len() / 2);
        for broken in [cut, b"no gzip at all".to_vec()] {
            let refused = inflate(&encoded("gzip"), broken, 1 << 20).unwrap_err();
            assert_eq!(refused.code, Code::BadTransfer);
        }
    }

    #[test]
    fn an_unknown_encoding_is_kept_as_it_came() {
        let body = inflate(&encoded("br"), b"\x0b\x01".to_vec(), 1 << 20).unwrap();
        assert_eq!((body.bytes.as_slice(), body.was_compressed), (b"\x0b\x01".as_slice(), false));
    }
}
