//! Why a payload becomes what it becomes: each value with the place it came from, and what was done to it.

use schemars::JsonSchema;
use serde::Serialize;

use super::{posted::Posted, reading::ReadingInfo};
use crate::{
    ingest::{Books, Interpreted},
    rules::Mapping,
};

/// What a payload becomes, and why.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Explained {
    /// What read it; null where nothing did.
    pub mapping: Option<MappingInfo>,
    /// What came of it.
    #[serde(flatten)]
    pub reading: ReadingInfo,
}

/// Which mapping read a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MappingInfo {
    /// The provider whose mapping it is.
    pub provider: String,
    /// Which version of it: a digest of its text.
    pub version: String,
    /// The rule file.
    pub file: String,
}

impl MappingInfo {
    /// What tells this mapping from others.
    pub fn of(mapping: &Mapping) -> Self {
        let version = mapping.version();
        Self {
            provider: version.provider.clone(),
            version: version.version.clone(),
            file: mapping.file().to_owned(),
        }
    }
}

impl Explained {
    /// What `posted` becomes by these rules, and why.
    pub fn of(books: &Books, posted: &Posted) -> Self {
        let read: Interpreted = posted.read_traced(books);
        Self {
            mapping: read.mapping.as_deref().map(MappingInfo::of),
            reading: ReadingInfo::of(&read),
        }
    }
}
