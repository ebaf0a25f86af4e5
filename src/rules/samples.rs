//! The rules and samples in the binary.

use std::{borrow::Cow, collections::BTreeMap};

use rust_embed::RustEmbed;
use serde::Deserialize;

use super::node::Node;
use crate::load_error::LoadError;

/// The directory `rules/` in the binary.
#[derive(RustEmbed)]
#[folder = "rules/"]
pub(super) struct Shipped;

/// A payload as a sender posts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The provider.
    pub provider: String,
    /// What it shows, e.g. `firing`.
    pub case: String,
    /// The body.
    pub body: Vec<u8>,
    /// What is said about the request around it.
    pub request: SampleRequest,
    /// What it must become; `None` where nobody has said yet.
    pub golden: Option<String>,
}

/// The request around a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleRequest {
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// The parameters of its query string.
    pub query: BTreeMap<String, String>,
    /// Its content type; that of JSON where absent.
    pub content_type: Option<String>,
    /// When it arrived, in RFC 3339; `2026-01-01T00:00:00Z` where absent.
    pub received_at: Option<String>,
}

impl Shipped {
    /// The text of every mapping, by provider.
    pub(super) fn mappings() -> impl Iterator<Item = (String, String)> {
        Self::iter().filter_map(|file| {
            let provider = file.strip_suffix("/mapping.yaml")?.to_owned();
            Some((provider, text_of(&file)?))
        })
    }

    /// The texts of the files that stand in a directory, by their paths, e.g. `kinds/security.yaml`.
    pub(super) fn texts(directory: &str) -> BTreeMap<String, String> {
        let is_in = |file: &str| {
            let name = file.strip_prefix(directory).and_then(|rest| rest.strip_prefix('/'));
            let is_yaml = std::path::Path::new(file).extension().is_some_and(|kind| kind == "yaml");
            is_yaml && name.is_some_and(|name| !name.contains('/'))
        };
        let files = Self::iter().filter(|file| is_in(file));
        files.filter_map(|file| Some((file.to_string(), text_of(&file)?))).collect()
    }
}

/// The text of a file in the binary.
fn text_of(file: &str) -> Option<String> {
    let bytes = Shipped::get(file)?.data;
    String::from_utf8(bytes.into_owned()).ok()
}

/// Every file of samples in the binary, by its path, e.g. `alertmanager/samples/firing.json`.
pub fn files() -> BTreeMap<String, Cow<'static, [u8]>> {
    let paths = Shipped::iter().filter(|path| path.contains("/samples/"));
    paths.filter_map(|path| Some((path.to_string(), Shipped::get(&path)?.data))).collect()
}

/// The samples in the binary, as `provider/case`.
pub fn names() -> Vec<String> {
    let cases = files()
        .into_keys()
        .filter_map(|path| case_of(&path).map(|(provider, case)| format!("{provider}/{case}")));
    cases.collect()
}

/// The sample of a provider that shows a case, e.g. `alertmanager` and `firing`; `None` where there is none.
pub fn sample(provider: &str, case: &str) -> Option<Sample> {
    let file = |kind: &str| Some(Shipped::get(&format!("{provider}/samples/{case}.{kind}"))?.data);
    let body = ["json", "body"].into_iter().find_map(file)?;
    let beside = |kind: &str| String::from_utf8(file(kind)?.into_owned()).ok();
    let request = beside("request.yaml")
        .and_then(|text| SampleRequest::read("", &text).ok())
        .unwrap_or_default();
    Some(Sample {
        provider: provider.to_owned(),
        case: case.to_owned(),
        body: body.into_owned(),
        request,
        golden: beside("events.json"),
    })
}

/// The provider and the case of a payload's file; `None` for any other file.
pub fn case_of(path: &str) -> Option<(&str, &str)> {
    let (provider, name) = path.split_once("/samples/")?;
    let case = name
        .strip_suffix(".json")
        .filter(|case| !case.ends_with(".events"))
        .or(name.strip_suffix(".body"))?;
    Some((provider, case))
}

impl SampleRequest {
    /// Reads what a `<case>.request.yaml` says.
    ///
    /// # Errors
    /// Where it is no such file.
    pub fn read(file: &str, text: &str) -> Result<Self, LoadError> {
        let node = Node::read(file, text)?;
        let read: Result<Self, serde_json::Error> = serde_json::from_value(node.to_json());
        let mut request = read.map_err(|error| {
            LoadError::at(file, text, (node.at.line, node.at.column), error.to_string())
        })?;
        request.headers = request
            .headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
        Ok(request)
    }
}
