//! How records of the audit trail leave: as they are, or as events of a standard.

use serde_json::Value;

use super::{
    Format,
    cadf::{self, Profile},
};
use crate::error::{Code, Error, Result};

/// How records leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// As they are, in a format.
    Records(Format),
    /// As CADF, one event a line.
    Cadf(Profile),
}

impl Layout {
    /// What the layouts of audit records are called.
    pub const NAMES: [&str; 4] = ["ndjson", "json", "csv", "cadf"];

    /// The layout of this name; a profile goes with CADF alone.
    ///
    /// # Errors
    /// Where there is no such layout or profile.
    pub fn named(name: &str, profile: Option<&str>) -> Result<Self> {
        if name == "cadf" {
            let profile = profile.map(Profile::named).transpose()?;
            return Ok(Self::Cadf(profile.unwrap_or_default()));
        }
        let format = Format::ALL.into_iter().find(|format| format.name() == name);
        let format = format.ok_or_else(|| {
            let detail = format!("`{name}` is no format; expected ndjson, json, csv or cadf");
            Error::at(Code::InvalidParameter, "/format", detail)
        })?;
        if profile.is_some() {
            let detail = "only the format cadf has profiles";
            return Err(Error::at(Code::InvalidParameter, "/profile", detail));
        }
        Ok(Self::Records(format))
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Records(format) => format.name(),
            Self::Cadf(_) => "cadf",
        }
    }

    /// The format of the file.
    pub const fn format(self) -> Format {
        match self {
            Self::Records(format) => format,
            Self::Cadf(_) => Format::Ndjson,
        }
    }

    /// What its files end with.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Records(format) => format.name(),
            Self::Cadf(_) => "cadf.ndjson",
        }
    }

    /// Whether each record is needed as a whole.
    pub const fn needs_all(self) -> bool {
        match self {
            Self::Records(_) => false,
            Self::Cadf(_) => true,
        }
    }

    /// A record as it leaves.
    pub fn shaped(self, record: &Value) -> Value {
        match self {
            Self::Records(_) => record.clone(),
            Self::Cadf(profile) => cadf::event(record, profile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_goes_with_its_format_alone() {
        assert_eq!(Layout::named("csv", None).unwrap(), Layout::Records(Format::Csv));
        assert_eq!(Layout::named("cadf", None).unwrap(), Layout::Cadf(Profile::Ibm));
        assert_eq!(Layout::named("cadf", Some("dmtf")).unwrap(), Layout::Cadf(Profile::Dmtf));
        for (name, profile, pointer) in [
            ("xml", None, "/format"),
            ("cadf", Some("iso"), "/profile"),
            ("json", Some("ibm"), "/profile"),
        ] {
            let error = Layout::named(name, profile).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, pointer, "{name}");
        }
    }
}
