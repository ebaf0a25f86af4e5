//! All kinds together, and what is recorded of Alertmill itself among them.

use std::collections::BTreeMap;

use super::{Classification, EventKind, EventSeverity, Recorded, Verdict, Visibility};

/// What begins the kind of a record that no definition knows; its action follows.
const OWN: &str = "Alertmill.";

/// What ends the kind of a record that no definition knows, where it was refused.
const REFUSED: &str = ".Refused";

/// Every kind that has a definition, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    by_name: BTreeMap<String, EventKind>,
    by_record: BTreeMap<Recorded, String>,
}

/// What a record of Alertmill's own is, as an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<'k> {
    /// The name of its kind.
    pub kind: String,
    /// The definition; `None` where there is none.
    pub definition: Option<&'k EventKind>,
    /// How bad it is.
    pub severity: EventSeverity,
    /// What it is about.
    pub classification: Classification,
    /// Whom it is shown to.
    pub visibility: Visibility,
}

/// What is asked of events; what is `None` is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Their kind.
    pub kind: Option<String>,
    /// How bad they are.
    pub severity: Option<EventSeverity>,
    /// What they are about.
    pub classification: Option<Classification>,
    /// Whom they are shown to.
    pub visibility: Option<Visibility>,
}

/// Which records of Alertmill's own are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Records {
    /// All of them.
    All,
    /// Those of each of these, of which no two share one.
    Of(Vec<Slice>),
}

/// How finely records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// In as few slices as may be.
    Coarse,
    /// So that those of a slice are alike in all that a kind says, but for the kind itself where no definition has it.
    Fine,
}

/// Some records of Alertmill's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Whether they were done.
    pub verdict: Verdict,
    /// What was done.
    pub actions: Actions,
}

/// Which actions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actions {
    /// These.
    Only(Vec<String>),
    /// All but these.
    But(Vec<String>),
}

impl Kinds {
    /// These kinds. Where two have one name, the later counts; where two are of the same records, too.
    pub fn new(kinds: impl IntoIterator<Item = EventKind>) -> Self {
        let by_name: BTreeMap<String, EventKind> =
            kinds.into_iter().map(|kind| (kind.name.clone(), kind)).collect();
        let by_record = by_name
            .values()
            .flat_map(|kind| kind.records.iter().map(|it| (it.clone(), kind.name.clone())))
            .collect();
        Self { by_name, by_record }
    }

    /// The definition of a kind.
    pub fn get(&self, name: &str) -> Option<&EventKind> {
        self.by_name.get(name)
    }

    /// All of them, by their names.
    pub fn all(&self) -> impl Iterator<Item = &EventKind> {
        self.by_name.values()
    }

    /// What a record of Alertmill's own is, as an event.
    pub fn of_record(&self, action: &str, verdict: Verdict) -> Seen<'_> {
        let recorded = Recorded { action: action.to_owned(), verdict };
        let known = self.by_record.get(&recorded).and_then(|name| self.by_name.get(name));
        if let Some(definition) = known {
            let EventKind { name, severity, classification, visibility, .. } = definition;
            return Seen {
                kind: name.clone(),
                definition: Some(definition),
                severity: *severity,
                classification: *classification,
                visibility: *visibility,
            };
        }
        Seen {
            kind: match verdict {
                Verdict::Done => format!("{OWN}{action}"),
                Verdict::Refused => format!("{OWN}{action}{REFUSED}"),
            },
            ..undefined(verdict)
        }
    }

    /// Which records of Alertmill's own are `wanted`.
    pub fn records(&self, wanted: &Wanted, grain: Grain) -> Records {
        if *wanted == Wanted::default() && grain == Grain::Coarse {
            return Records::All;
        }
        let mut slices = Vec::new();
        for verdict in Verdict::ALL.iter().copied() {
            let known: Vec<&String> = self
                .by_record
                .keys()
                .filter(|recorded| recorded.verdict == verdict)
                .map(|recorded| &recorded.action)
                .collect();
            let meant: Vec<String> = known
                .iter()
                .filter(|action| wanted.means(&self.of_record(action, verdict)))
                .map(|action| (*action).clone())
                .collect();
            match grain {
                Grain::Coarse if meant.is_empty() => {}
                Grain::Coarse => slices.push(Slice { verdict, actions: Actions::Only(meant) }),
                Grain::Fine => slices.extend(
                    meant
                        .into_iter()
                        .map(|action| Slice { verdict, actions: Actions::Only(vec![action]) }),
                ),
            }
            slices.extend(others(wanted, verdict, &known));
        }
        Records::Of(slices)
    }
}

/// What is said of a record that no definition knows.
const fn undefined(verdict: Verdict) -> Seen<'static> {
    Seen {
        kind: String::new(),
        definition: None,
        severity: match verdict {
            Verdict::Done => EventSeverity::Info,
            Verdict::Refused => EventSeverity::Warning,
        },
        classification: Classification::Audit,
        visibility: Visibility::Internal,
    }
}

/// The records that no definition knows and that are wanted.
fn others(wanted: &Wanted, verdict: Verdict, known: &[&String]) -> Option<Slice> {
    let any = Wanted { kind: None, ..wanted.clone() };
    if !any.means(&undefined(verdict)) {
        return None;
    }
    let Some(kind) = &wanted.kind else {
        let known = known.iter().map(|action| (*action).clone()).collect();
        return Some(Slice { verdict, actions: Actions::But(known) });
    };
    let rest = kind.strip_prefix(OWN)?;
    let action = match (verdict, rest.strip_suffix(REFUSED)) {
        (Verdict::Done, None) => rest.to_owned(),
        (Verdict::Refused, Some(action)) => action.to_owned(),
        (Verdict::Done, Some(_)) | (Verdict::Refused, None) => return None,
    };
    if known.contains(&&action) {
        return None;
    }
    Some(Slice { verdict, actions: Actions::Only(vec![action]) })
}

impl Wanted {
    /// Whether something is asked for by all that is asked.
    pub fn means(&self, seen: &Seen<'_>) -> bool {
        let Self { kind, severity, classification, visibility } = self;
        kind.as_ref().is_none_or(|kind| *kind == seen.kind)
            && severity.is_none_or(|severity| severity == seen.severity)
            && classification.is_none_or(|it| it == seen.classification)
            && visibility.is_none_or(|visibility| visibility == seen.visibility)
    }
}

/// Whether a name is of those that records of Alertmill's own have.
pub fn is_own(kind: &str) -> bool {
    kind.starts_with(OWN)
}
