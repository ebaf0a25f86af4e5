//! What a file says: one scenario, or several under `scenarios`.

use chrono_tz::Tz;

use super::{
    expected::Expected,
    source::{Reader, Source, Table},
    span,
    step::{self, Step},
};
use crate::{
    clock::{Timestamp, from_millis},
    load_error::LoadError,
    rules::{At, Kind, Node},
};

/// When a timeline begins that does not say when: `2026-01-01T00:00:00Z`.
const NEW_YEAR_2026: i64 = 1_767_225_600_000;

/// The project that is meant where none is named.
const PROJECT: &str = "project-1";

/// What a scenario says of itself, and when and where it plays.
const FRAME: &[&str] =
    &["name", "title", "description", "note", "start", "time_zone", "project_id"];

/// What stands at the end of a recorded scenario.
const RECORDED: &[&str] =
    &["expect", "alerts", "events", "notifications", "requests", "trace", "queued"];

/// The lists of what a project is furnished with, in the order in which it is made: the later may name the earlier.
pub(super) const FURNITURE: &[&str] = &[
    "channels",
    "on_calls",
    "contacts",
    "escalation_policies",
    "webhooks",
    "event_rules",
    "group_rules",
    "maintenance_windows",
    "silences",
    "inhibitions",
    "heartbeats",
];

/// A project's configuration and a timeline.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: Option<String>,
    pub(super) source: Source,
    /// When its timeline begins.
    pub(super) start: Timestamp,
    /// The zone that times are shown in, and that moments without an offset are of.
    pub(super) zone: Tz,
    /// The project that is meant where none is named.
    pub(super) project: String,
    /// How projects are alerted unless they say otherwise.
    pub(super) config: Option<Node>,
    /// More projects, by identifier, with how each is alerted.
    pub(super) projects: Vec<(String, Node)>,
    /// What they are furnished with: the list it stands in, and what stands there.
    pub(super) furniture: Vec<(&'static str, Node)>,
    pub(super) steps: Vec<Step>,
    /// What must be so at the end.
    pub(super) expected: Vec<Expected>,
    /// What each step must have brought, in the recorded form.
    pub(super) trace: Vec<Node>,
}

impl Scenario {
    /// Reads a file, YAML or JSON.
    ///
    /// # Errors
    /// Every mistake in it, with its place.
    pub fn read(file: &str, text: &str) -> Result<Vec<Self>, Vec<LoadError>> {
        let (source, node) = Source::read(file, text).map_err(|mistake| vec![mistake])?;
        let mut reader = Reader::new(&source);
        let scenarios = all(&mut reader, &node).unwrap_or_default();
        let mistakes = reader.mistakes;
        if mistakes.is_empty() { Ok(scenarios) } else { Err(mistakes) }
    }
}

/// All scenarios of a file.
fn all(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Scenario>> {
    let table = reader.open_table(node, "a scenario")?;
    let Some(scenarios) = table.get("scenarios") else {
        return Some(vec![scenario(reader, node)?]);
    };
    reader.table(node, "a file of scenarios", &["scenarios", "meta", "title", "description"])?;
    let list = reader.list(scenarios, "`scenarios`")?;
    if list.is_empty() {
        return reader.wrong(scenarios.at, "there is no scenario in this list");
    }
    Some(list.iter().filter_map(|one| scenario(reader, one)).collect())
}

fn scenario(reader: &mut Reader<'_>, node: &Node) -> Option<Scenario> {
    let keys = [FRAME, &["config", "projects"], FURNITURE, &["steps"], RECORDED].concat();
    let table = reader.table(node, "a scenario", &keys)?;
    let zone = zone(reader, &table);
    let steps = match table.get("steps") {
        Some(steps) => step::steps(reader, steps, zone),
        None => reader.wrong(node.at, "`steps` is missing: what happens, in order"),
    };
    Some(Scenario {
        name: name(reader, &table),
        source: reader.source.clone(),
        start: start(reader, &table, zone),
        zone,
        project: project(reader, &table),
        config: table
            .get("config")
            .cloned()
            .filter(|config| reader.open_table(config, "`config`").is_some()),
        projects: projects(reader, &table),
        furniture: furniture(reader, &table),
        steps: steps?,
        expected: expected(reader, &table),
        trace: trace(reader, &table),
    })
}

fn name(reader: &mut Reader<'_>, table: &Table<'_>) -> Option<String> {
    let (key, node) = table.first(&["name", "title"])?;
    reader.text(node, &format!("`{key}`")).map(ToOwned::to_owned)
}

fn zone(reader: &mut Reader<'_>, table: &Table<'_>) -> Tz {
    let Some(node) = table.get("time_zone") else { return Tz::UTC };
    let Some(name) = reader.text(node, "`time_zone`") else { return Tz::UTC };
    name.parse().ok().unwrap_or_else(|| {
        let detail =
            format!("`{name}` is no time zone; expected one such as `Europe/Berlin` or `UTC`");
        reader.wrong::<()>(node.at, detail);
        Tz::UTC
    })
}

fn start(reader: &mut Reader<'_>, table: &Table<'_>, zone: Tz) -> Timestamp {
    let default = from_millis(NEW_YEAR_2026);
    let Some(node) = table.get("start") else { return default };
    let Some(text) = reader.text(node, "`start`") else { return default };
    span::moment(text, zone).unwrap_or_else(|detail| {
        reader.wrong::<()>(node.at, detail);
        default
    })
}

fn project(reader: &mut Reader<'_>, table: &Table<'_>) -> String {
    let named = table.get("project_id").and_then(|node| reader.text(node, "`project_id`"));
    named.unwrap_or(PROJECT).to_owned()
}

fn projects(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<(String, Node)> {
    let Some(node) = table.get("projects") else { return Vec::new() };
    let Some(named) = reader.open_table(node, "`projects`") else { return Vec::new() };
    let mut projects = Vec::new();
    for key in named.keys() {
        let Some(config) = named.get(&key.text) else { continue };
        // `ops:` with nothing below is a project like the others.
        if !matches!(&config.kind, Kind::Scalar(serde_json::Value::Null)) {
            reader.open_table(config, &format!("the configuration of `{}`", key.text));
        }
        projects.push((key.text.clone(), config.clone()));
    }
    projects
}

fn furniture(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<(&'static str, Node)> {
    let mut furniture = Vec::new();
    for kind in FURNITURE {
        let Some(node) = table.get(kind) else { continue };
        let Some(list) = reader.list(node, &format!("`{kind}`")) else { continue };
        for one in list {
            if reader.open_table(one, &format!("each of `{kind}`")).is_some() {
                furniture.push((*kind, one.clone()));
            }
        }
    }
    furniture
}

fn expected(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<Expected> {
    let mut expected: Vec<Expected> =
        table.get("expect").and_then(|node| Expected::read(reader, node)).into_iter().collect();
    expected.extend(Expected::recorded(reader, table));
    expected
}

fn trace(reader: &mut Reader<'_>, table: &Table<'_>) -> Vec<Node> {
    let Some(node) = table.get("trace") else { return Vec::new() };
    reader.list(node, "`trace`").map(<[Node]>::to_vec).unwrap_or_default()
}

/// The beginning of a file, for what is wrong with a scenario as a whole.
pub(super) const BEGINNING: At = At { file: 0, line: 1, column: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = Scenario::read("x.yaml", text).unwrap_err();
        mistakes.iter().map(LoadError::sentence).collect()
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let text = "confg: {}\ntime_zone: Berlin\nstart: soon\nsteps:\n  - advance: 11\n  - psot: []\n  - post: {}\n    deliver: {}\n";
        let told = mistakes(text);
        let starts: Vec<String> = told.iter().map(|one| one.chars().take(44).collect()).collect();
        insta::assert_debug_snapshot!(starts);
    }

    #[test]
    fn a_file_without_steps_or_scenarios_says_so() {
        assert_eq!(mistakes(""), ["x.yaml: it is empty"]);
        assert!(mistakes("config: {}")[0].contains("`steps` is missing"));
        assert!(mistakes("scenarios: []")[0].contains("no scenario"));
        assert!(mistakes("- a")[0].contains("a scenario is a table, not a list"));
    }

    #[test]
    fn a_file_holds_one_scenario_or_several() {
        let one = Scenario::read("x.yaml", "name: a\nsteps: []\n").unwrap();
        assert_eq!(one[0].name.as_deref(), Some("a"));
        let two = Scenario::read(
            "x.json",
            r#"{"meta": {}, "scenarios": [{"steps": []}, {"steps": [{"worker": true}]}]}"#,
        );
        assert_eq!(two.unwrap().len(), 2);
    }
}
