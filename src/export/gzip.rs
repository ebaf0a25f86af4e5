//! Files compressed as they are written.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use crate::error::{Error, Result};

/// Passes text on, compressed or as it is.
#[derive(Debug)]
pub enum Packer {
    /// As it is.
    Plain,
    /// Compressed by gzip.
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Packer {
    /// A packer that compresses.
    pub fn gzip() -> Self {
        Self::Gzip(Box::new(GzEncoder::new(Vec::new(), Compression::fast())))
    }

    /// Packs `text` so that all of it can be read from what comes out by now.
    pub fn pack(&mut self, text: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(text),
            Self::Gzip(encoder) => {
                encoder.write_all(&text).and_then(|()| encoder.flush()).map_err(Error::internal)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }

    /// Packs `text`, the last one.
    pub fn finish(&mut self, text: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(text),
            Self::Gzip(encoder) => {
                encoder
                    .write_all(&text)
                    .and_then(|()| encoder.try_finish())
                    .map_err(Error::internal)?;
                Ok(std::mem::take(encoder.get_mut()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn what_is_packed_in_parts_unpacks_as_one() {
        let mut packer = Packer::gzip();
        let mut bytes = packer.pack(b"one ".to_vec()).unwrap();
        assert!(!bytes.is_empty());
        bytes.extend(packer.pack(b"two ".to_vec()).unwrap());
        bytes.extend(packer.finish(b"three".to_vec()).unwrap());
        let mut text = String::new();
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two three");
    }
}
