//! `alertmill audit export`: the audit trail as a file, for whoever keeps or reads it elsewhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::{
    Failure,
    client::Client,
    export,
    question::{OF_AUDITS, Question},
};
use crate::{
    config::Reach,
    domain::audit::Trail,
    export::{Format, Layout, Packer, Profile},
    query::AUDITS,
};

/// Write the audit records of one domain to a file, or to standard output. The export is recorded itself.
#[derive(Args)]
#[command(mut_arg("filter", |it| it.long_help(OF_AUDITS)))]
pub(super) struct Export {
    /// The file to write; standard output where none is named. With .gz at its end it is compressed.
    file: Option<PathBuf>,
    /// What it is written as; ndjson by default, or what the file's ending says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Written>,
    /// In whose dialect CADF is written: `ibm` has actions with dots and reasons in words, `dmtf` keeps to the standard's
    /// own taxonomy.
    #[arg(long, value_enum, value_name = "PROFILE")]
    profile: Option<Dialect>,
    /// Compress it by gzip.
    #[arg(long)]
    gzip: bool,
    /// How many records at most; all by default.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Begin with the oldest; by default the newest come first.
    #[arg(long)]
    oldest_first: bool,
    /// Whose records; must be named by who reaches several domains.
    #[arg(long, value_name = "ID")]
    domain: Option<String>,
    /// Whose doings: OWN (what was done to and in Alertmill), `POSTED`, `EVENT`, `AUDIT_EVENT` or `COMMUNICATION_EVENT`.
    #[arg(long, default_value_t = Trail::Own)]
    trail: Trail,
    #[command(flatten)]
    question: Question,
}

/// What the trail is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    /// One JSON object a line.
    Ndjson,
    /// One JSON object with all records.
    Json,
    /// A table for spreadsheets.
    Csv,
    /// Events of the DMTF's Cloud Auditing Data Federation, one a line.
    Cadf,
}

/// In whose dialect CADF is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Dialect {
    /// As IBM Cloud's services write theirs.
    Ibm,
    /// As the standard has it.
    Dmtf,
}

impl Export {
    /// Does it. `json` says whether JSON was asked for by `--json`.
    pub(super) async fn run(&self, reach: &Reach) -> Result<(), Failure> {
        let layout = self.layout(reach.json)?;
        let asked = self.asked(layout)?;
        let answer = Client::find(reach)?.stream("/api/v1/audit/export", asked).await?;
        let ends_in_gz =
            self.file.as_ref().is_some_and(|file| file.extension().is_some_and(|it| it == "gz"));
        let packer = if self.gzip || ends_in_gz { Packer::gzip() } else { Packer::Plain };
        export::save(answer, self.file.as_deref(), (layout.format(), packer)).await
    }

    fn asked(&self, layout: Layout) -> Result<Value, Failure> {
        let mut query = self.question.query(&AUDITS)?;
        if let Some(limit) = self.limit {
            query.insert("page".to_owned(), json!({ "limit": limit }));
        }
        if self.oldest_first {
            query.insert("sort".to_owned(), json!([{ "key": "occurred_at" }]));
        }
        let mut asked = Map::new();
        asked.insert("query".to_owned(), query.into());
        asked.insert("trail".to_owned(), self.trail.as_str().into());
        asked.insert("format".to_owned(), layout.name().into());
        if let Layout::Cadf(profile) = layout {
            asked.insert("profile".to_owned(), profile.name().into());
        }
        if !self.question.columns.is_empty() {
            asked.insert("columns".to_owned(), self.question.columns.clone().into());
        }
        if let Some(domain) = &self.domain {
            asked.insert("domain_id".to_owned(), domain.as_str().into());
        }
        Ok(asked.into())
    }

    fn layout(&self, json: bool) -> Result<Layout, Failure> {
        let profile = self.profile.map(|profile| match profile {
            Dialect::Ibm => Profile::Ibm,
            Dialect::Dmtf => Profile::Dmtf,
        });
        let by_ending = || self.file.as_deref().map_or(Ok(None), export::by_ending);
        let layout = match self.format {
            Some(Written::Ndjson) => Layout::Records(Format::Ndjson),
            Some(Written::Json) => Layout::Records(Format::Json),
            Some(Written::Csv) => Layout::Records(Format::Csv),
            Some(Written::Cadf) => Layout::Cadf(profile.unwrap_or_default()),
            None => match (by_ending()?, profile) {
                // Whoever opens the file expects what its name says.
                (Some(format @ (Format::Csv | Format::Json | Format::List)), Some(_)) => {
                    Layout::Records(format)
                }
                (Some(Format::Ndjson) | None, Some(profile)) => Layout::Cadf(profile),
                (_, None) if json => Layout::Records(Format::Json),
                (ending, None) => Layout::Records(ending.unwrap_or(Format::Ndjson)),
            },
        };
        match (layout, profile) {
            (Layout::Records(_), Some(_)) => {
                Err(Failure::usage("A profile is one of CADF: give `--format cadf` with it."))
            }
            (Layout::Records(_) | Layout::Cadf(_), _) => Ok(layout),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        export: Export,
    }

    fn asked(line: &str) -> Result<Value, Failure> {
        let words = ["export"].into_iter().chain(line.split_whitespace());
        let Line { export } = Line::try_parse_from(words).unwrap();
        export.asked(export.layout(false)?)
    }

    #[test]
    fn what_is_typed_is_what_is_asked() {
        let whole =
            asked("--format cadf --profile dmtf --since 2026-01-01 --domain acme --limit 5");
        let condition = json!({ "k": "occurred_at", "v": "2026-01-01", "o": "gte" });
        let wanted = json!({
            "query": { "filter": [condition], "page": { "limit": 5 } },
            "trail": "OWN", "format": "cadf", "profile": "dmtf", "domain_id": "acme",
        });
        assert_eq!(whole.unwrap(), wanted);
        assert_eq!(asked("trail.csv.gz").unwrap()["format"], "csv");
        assert_eq!(asked("--profile ibm").unwrap()["format"], "cadf");
        assert_eq!(
            asked("x.json --oldest-first").unwrap()["query"]["sort"][0]["key"],
            "occurred_at"
        );
        assert!(asked("--format csv --profile ibm").is_err());
        assert!(asked("trail.csv --profile ibm").is_err());
        assert_eq!(asked("trail.csv --format cadf").unwrap()["format"], "cadf");
        let unknown = asked("trail.xlsx").unwrap_err().to_string();
        assert!(unknown.contains(".ndjson, .jsonl, .json or .csv"), "{unknown}");
        assert_eq!(asked("trail.xlsx --format csv").unwrap()["format"], "csv");
    }

    #[test]
    fn help_speaks_of_audit_records() {
        use clap::CommandFactory as _;
        let help = Line::command().render_long_help().to_string();
        assert!(help.contains("entity_type=webhook") && !help.contains("alert_id"), "{help}");
    }
}
