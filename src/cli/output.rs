//! How lists of records are written: as a table for people, or as a file for machines.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    show::{self, table},
};
use crate::export::{Format, Writer, cell};

/// How many records are asked for at once.
const PAGE: u32 = 1000;

/// How wide a cell of a table may be that a person chose, in characters.
const WIDEST: usize = 48;

/// What a list is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// A table for people.
    Table,
    /// One JSON object with all records.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Output {
    /// The format of files that it is.
    pub(super) const fn format(self) -> Option<Format> {
        match self {
            Self::Table => None,
            Self::Json => Some(Format::Json),
            Self::Csv => Some(Format::Csv),
            Self::Ndjson => Some(Format::Ndjson),
        }
    }
}

/// A list that is to be shown.
pub(super) struct Listing<'a> {
    /// Where it is asked for.
    pub(super) path: &'static str,
    /// The parameters beside the query.
    pub(super) asked: Map<String, Value>,
    /// The query.
    pub(super) query: Map<String, Value>,
    /// The fields that were asked for; empty for those of the list.
    pub(super) columns: &'a [String],
    /// The columns of a file where none were asked for.
    pub(super) standard: &'a [&'a str],
    /// How many at most; `None` for all.
    pub(super) limit: Option<u32>,
}

impl Listing<'_> {
    /// Asks for it and shows it; `people` makes a table of it where no columns were asked for.
    pub(super) async fn show(
        mut self,
        client: &Client,
        output: Output,
        people: fn(&Value) -> String,
    ) -> Result<(), Failure> {
        if !self.columns.is_empty() {
            self.query.insert("only".to_owned(), self.columns.to_vec().into());
        }
        let Some(format) = output.format() else { return self.tabled(client, people).await };
        if let (Format::Json, Some(limit)) = (format, self.limit) {
            // The answer as it came, with its total and its cursor.
            let answer = self.page(client, json!({ "limit": limit })).await?;
            return show::print(&serde_json::to_string_pretty(&answer).unwrap_or_default());
        }
        let columns = match self.columns {
            [] => self.standard.iter().map(|column| (*column).to_owned()).collect(),
            columns => columns.to_vec(),
        };
        let mut writer = Writer::new(format, columns);
        let mut pages = Pages::default();
        while let Some(answer) = pages.next(client, &self).await? {
            for row in show::rows(&answer) {
                writer.add(row).map_err(|error| Failure::usage(error.to_string()))?;
            }
            show::write(&writer.take())?;
        }
        writer.end();
        show::write(&writer.take())
    }

    async fn tabled(self, client: &Client, people: fn(&Value) -> String) -> Result<(), Failure> {
        let mut pages = Pages::default();
        let mut all = Value::Null;
        while let Some(answer) = pages.next(client, &self).await? {
            match &mut all {
                Value::Null => all = answer,
                all => {
                    let rows = show::rows(&answer).cloned();
                    if let Some(kept) = all["results"].as_array_mut() {
                        kept.extend(rows);
                    }
                }
            }
        }
        let text = if self.columns.is_empty() { people(&all) } else { chosen(&all, self.columns) };
        show::print(&show::harmless(&text))
    }

    async fn page(&self, client: &Client, page: Value) -> Result<Value, Failure> {
        let mut query = self.query.clone();
        query.insert("page".to_owned(), page);
        let mut asked = self.asked.clone();
        asked.insert("query".to_owned(), query.into());
        client.post(self.path, asked.into()).await
    }
}

/// The pages of a list, one after the other.
#[derive(Default)]
struct Pages {
    cursor: Option<Value>,
    is_over: bool,
}

impl Pages {
    async fn next(
        &mut self,
        client: &Client,
        listing: &Listing<'_>,
    ) -> Result<Option<Value>, Failure> {
        if self.is_over {
            return Ok(None);
        }
        let mut page = json!({ "limit": listing.limit.unwrap_or(PAGE) });
        if listing.limit.is_none() {
            page["total"] = "none".into();
        }
        if let Some(cursor) = self.cursor.take() {
            page["cursor"] = cursor;
        }
        let answer = listing.page(client, page).await?;
        self.cursor = answer.get("next_cursor").filter(|it| it.is_string()).cloned();
        self.is_over = listing.limit.is_some() || self.cursor.is_none();
        Ok(Some(answer))
    }
}

/// A table of the columns that were asked for.
fn chosen(answer: &Value, columns: &[String]) -> String {
    let headings: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let cells = |row: &Value| columns.iter().map(|column| brief(&cell(row, column))).collect();
    let rows = show::rows(answer).map(cells).collect();
    table(&headings, rows, "Nothing was found.") + &show::more(answer, "records")
}

/// The first line of a cell, cut to a width that leaves room for others.
fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= WIDEST {
        return line.to_owned();
    }
    let start: String = line.chars().take(WIDEST - 1).collect();
    format!("{}…", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_columns_that_were_asked_for() {
        let answer = json!({ "results": [
            { "title": "Disk\nfull", "additional_info": { "cluster": "c1" } },
            { "title": "x".repeat(100), "additional_info": {} },
        ] });
        let columns = ["title", "additional_info.cluster"].map(str::to_owned);
        insta::assert_snapshot!(chosen(&answer, &columns));
    }
}
