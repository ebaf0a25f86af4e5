//! The lines of a file, the last one first, with little of it in memory.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

/// How much is read at once, in bytes.
const BLOCK: u64 = 1 << 20;

/// Reads lines from the end.
#[derive(Debug)]
pub(super) struct Backwards {
    file: File,
    /// Where what is held begins.
    at: u64,
    held: Vec<u8>,
    is_over: bool,
}

impl Backwards {
    /// Begins at the end of a file of this many bytes.
    pub(super) fn new(file: File, bytes: u64) -> Self {
        Self { file, at: bytes, held: Vec::new(), is_over: false }
    }

    /// The line before, without its end; what follows the last line feed is a line too.
    pub(super) fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        // What was looked through already has no line feed in it.
        let mut unseen = self.held.len();
        loop {
            if let Some(end) = self.held[..unseen].iter().rposition(|byte| *byte == b'\n') {
                let line = self.held.split_off(end + 1);
                self.held.truncate(end);
                return Ok(Some(line));
            }
            if self.at == 0 {
                let is_over = std::mem::replace(&mut self.is_over, true);
                return Ok((!is_over).then(|| std::mem::take(&mut self.held)));
            }
            unseen = self.read()?;
        }
    }

    /// Reads the block before what is held; its length.
    fn read(&mut self) -> io::Result<usize> {
        let length = BLOCK.min(self.at);
        self.at -= length;
        self.file.seek(SeekFrom::Start(self.at))?;
        let mut block = Vec::new();
        (&mut self.file).take(length).read_to_end(&mut block)?;
        let read = block.len();
        block.append(&mut self.held);
        self.held = block;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(text: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let mut backwards = Backwards::new(file, text.len() as u64);
        let mut found = Vec::new();
        while let Some(line) = backwards.line().unwrap() {
            found.push(line);
        }
        found.reverse();
        found
    }

    #[test]
    fn backwards_are_the_same_lines() {
        let long = vec![b'x'; 3 << 20];
        let texts: [&[u8]; 6] = [b"", b"\n", b"a", b"a\nb\n\nc\n", b"\n\n", &long];
        for text in texts {
            let forwards: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
            assert_eq!(lines(text), forwards);
        }
        let many: Vec<String> = (0..200_000).map(|line| line.to_string()).collect();
        let many = many.join("\n");
        assert!(
            lines(many.as_bytes())
                .iter()
                .map(Vec::as_slice)
                .eq(many.as_bytes().split(|byte| *byte == b'\n'))
        );
    }
}
