//! Records on their way out as files: what each format looks like. It knows records only as JSON, as the views show
//! them, so it serves the server's streams and the command line alike.

pub mod cadf;
mod csv;
mod gzip;
mod layout;

use serde_json::{Value, json};

pub use self::{cadf::Profile, csv::cell, gzip::Packer, layout::Layout};
use crate::error::{Code, Error, Result};

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line; what can be imported again.
    Ndjson,
    /// One JSON object that holds all records, as a list answers it.
    Json,
    /// One JSON list of all records.
    List,
    /// A table with a row of headings (RFC 4180).
    Csv,
}

impl Format {
    /// Those that can be asked for by name.
    pub const ALL: [Self; 3] = [Self::Ndjson, Self::Json, Self::Csv];

    /// What it is called, which is also what its files end with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Json | Self::List => "json",
            Self::Csv => "csv",
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Json | Self::List => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// The format of this name.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let detail = format!("`{name}` is no format; expected ndjson, json or csv");
            Error::at(Code::InvalidParameter, "/format", detail)
        })
    }

    /// The first format that an `Accept` header names, if it names one of ours.
    pub fn accepted(accept: &str) -> Option<Self> {
        accept.split(',').find_map(|range| match range.split(';').next()?.trim() {
            "application/x-ndjson" | "application/jsonl" => Some(Self::Ndjson),
            "application/json" => Some(Self::Json),
            "text/csv" => Some(Self::Csv),
            _ => None,
        })
    }
}

/// Writes records in a format, a stretch at a time.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    /// The columns of a table, each a path.
    columns: Vec<String>,
    rows: u64,
    text: Vec<u8>,
}

impl Writer {
    /// Begins a file; `columns` are those of a table.
    pub fn new(format: Format, columns: Vec<String>) -> Self {
        let mut text = Vec::new();
        match format {
            Format::Ndjson => {}
            Format::Json => text.extend_from_slice(b"{\"results\":["),
            Format::List => text.push(b'['),
            Format::Csv => csv::headings(&columns, &mut text),
        }
        Self { format, columns, rows: 0, text }
    }

    /// Adds a record.
    pub fn add(&mut self, record: &Value) -> Result<()> {
        let text = &mut self.text;
        match self.format {
            Format::Ndjson => {
                serde_json::to_writer(&mut *text, record).map_err(Error::internal)?;
                text.push(b'\n');
            }
            Format::Json | Format::List => {
                text.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
                serde_json::to_writer(&mut *text, record).map_err(Error::internal)?;
            }
            Format::Csv => {
                csv::line(self.columns.iter().map(|path| csv::cell(record, path)), text);
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Ends the file.
    pub fn end(&mut self) {
        match self.format {
            Format::Json => self.text.extend_from_slice(b"\n]}\n"),
            Format::List => self.text.extend_from_slice(b"\n]\n"),
            Format::Ndjson | Format::Csv => {}
        }
    }

    /// Says in the file that it is not whole, where the format has words for that. Where it has none, the file must be
    /// cut so that it is not taken for whole.
    pub fn fail(&mut self, error: &Error) -> bool {
        if self.format != Format::Ndjson {
            return false;
        }
        let said = json!({ "error": { "code": error.code.name(), "detail": error.detail } });
        self.text.extend_from_slice(said.to_string().as_bytes());
        self.text.push(b'\n');
        true
    }

    /// The media type of what it writes.
    pub fn media_type(&self) -> &'static str {
        self.format.media_type()
    }

    /// How many records were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// How many bytes were written since they were taken last.
    pub fn waiting(&self) -> usize {
        self.text.len()
    }

    /// What was written since it was taken last.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: Format, records: &[Value]) -> String {
        let columns = ["id", "note", "info.cpu"].map(str::to_owned).to_vec();
        let mut writer = Writer::new(format, columns);
        for record in records {
            writer.add(record).unwrap();
        }
        writer.end();
        String::from_utf8(writer.take()).unwrap()
    }

    #[test]
    fn each_format_holds_the_same_records() {
        let records = [
            json!({ "id": "a", "note": "two\nlines, and \"quotes\"", "info": { "cpu": -1.5 } }),
            json!({ "id": "b", "note": null, "info": {} }),
        ];
        insta::assert_snapshot!(Format::ALL.map(|format| file(format, &records)).join("---\n"));
    }

    #[test]
    fn an_empty_file_is_a_whole_one() {
        assert_eq!(file(Format::Ndjson, &[]), "");
        assert_eq!(
            serde_json::from_str::<Value>(&file(Format::Json, &[])).unwrap(),
            json!({ "results": [] })
        );
        assert_eq!(serde_json::from_str::<Value>(&file(Format::List, &[])).unwrap(), json!([]));
        assert_eq!(file(Format::Csv, &[]), "id,note,info.cpu\r\n");
    }

    #[test]
    fn a_file_that_is_not_whole_says_so_or_must_be_cut() {
        let error = Error::new(Code::Deadline, "too long");
        let mut lines = Writer::new(Format::Ndjson, Vec::new());
        assert!(lines.fail(&error));
        let said: Value = serde_json::from_slice(&lines.take()).unwrap();
        assert_eq!(said["error"]["code"], "ERROR_DEADLINE");
        assert!(!Writer::new(Format::Json, Vec::new()).fail(&error));
        assert!(!Writer::new(Format::Csv, Vec::new()).fail(&error));
    }

    #[test]
    fn a_header_may_choose_the_format() {
        assert_eq!(Format::accepted("text/html, text/csv;q=0.9"), Some(Format::Csv));
        assert_eq!(Format::accepted("*/*"), None);
        assert!(Format::named("xml").unwrap_err().detail.contains("ndjson, json or csv"));
    }
}
