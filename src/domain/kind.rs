//! Kinds of events: what an event of a kind must say, how bad it is, and who sees it.
//!
//! Services name what happened by a kind in dot notation, e.g. `Software.Project.Secret.Created`. A kind may have a
//! definition; then an event need not say what the definition says, and its parameters must be those that it names. What
//! is recorded of Alertmill itself is of a kind too, so that one list shows both.

use std::collections::{BTreeMap, BTreeSet};

use super::words::words;

/// What begins the kind of a record that no definition knows; its action follows.
const OWN: &str = "Alertmill.";

/// What ends the kind of a record that no definition knows, where it was refused.
const REFUSED: &str = ".Refused";

/// The longest name of a kind, in characters.
const LONGEST: usize = 255;

words! {
    /// One of the lists that events are kept in; an event is in one of them.
    EventList {
        /// What happened in the services.
        Event = "event",
        /// What users and the system did.
        AuditEvent = "audit_event",
        /// What the services tell each other.
        CommunicationEvent = "communication_event",
    }
}

words! {
    /// How bad an event is, from what nobody knows and the least to the worst.
    EventSeverity {
        /// Nothing is known of its severity.
        Unknown = "unknown",
        /// For who looks for a fault.
        Debug = "debug",
        /// Good to know.
        Info = "info",
        /// It may become bad.
        Warning = "warning",
        /// Something is broken.
        Major = "major",
        /// Something important is broken.
        Critical = "critical",
    }
}

words! {
    /// What an event is about.
    Classification {
        /// Nobody has said.
        Unknown = "unknown",
        /// Hardware.
        Hardware = "hw",
        /// What a user did.
        UserAction = "ua",
        /// What runs by itself.
        Background = "bg",
        /// Software.
        Software = "sw",
        /// What was promised to customers.
        Sla = "sla",
        /// Room and load.
        Capacity = "cap",
        /// Security.
        Security = "sec",
        /// Who did what.
        Audit = "audit",
        /// The system as a whole.
        System = "system",
    }
}

words! {
    /// Whom an event is shown to.
    Visibility {
        /// Nobody has said, so it is shown as if it were internal.
        Unknown = "unknown",
        /// To administrators alone.
        Internal = "internal",
        /// To users, too.
        External = "external",
        /// To users, being of no interest to who runs the system.
        CustomerOnly = "customerOnly",
    }
}

words! {
    /// What a parameter of an event holds.
    ParameterType {
        /// A text, in `parameters_text`.
        Text = "text",
        /// A whole number from zero, in `parameters_uint64`.
        Uint64 = "uint64",
    }
}

words! {
    /// Whether something recorded was done.
    Verdict {
        /// It was.
        Done = "done",
        /// It was refused, or it failed.
        Refused = "refused",
    }
}

words! {
    /// What of a record of Alertmill's own a parameter holds.
    Part {
        /// The name of who did it.
        Actor = "actor",
        /// The kind of thing it was done to.
        EntityType = "entity_type",
        /// The identifier of what it was done to.
        EntityId = "entity_id",
        /// The name of what it was done to.
        EntityName = "entity_name",
        /// `SUCCESS`, or the code of the error.
        Outcome = "outcome",
        /// Why it was refused.
        Reason = "reason",
        /// The address it came from.
        Remote = "remote",
        /// The program it came from.
        UserAgent = "user_agent",
        /// The request it came in.
        RequestId = "request_id",
    }
}

/// What is known of the events of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventKind {
    /// Its name in dot notation.
    pub name: String,
    /// What happened, in a sentence: the description of an event that has none.
    pub description: String,
    /// How bad it is, where an event does not say.
    pub severity: EventSeverity,
    /// What it is about, where an event does not say.
    pub classification: Classification,
    /// Whom it is shown to, where an event does not say.
    pub visibility: Visibility,
    /// The list it is kept in, where an event does not say.
    pub list: EventList,
    /// What its events must say and may say.
    pub parameters: Vec<Parameter>,
    /// Which records of Alertmill's own are of this kind.
    pub records: Vec<Recorded>,
}

/// A parameter of the events of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: ParameterType,
    /// Whether an event must have it.
    pub need: Need,
    /// What of a record it holds, where a record is of this kind.
    pub from: Option<Part>,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// Records of Alertmill's own that are of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recorded {
    /// What was done, e.g. `user.login`.
    pub action: String,
    /// Whether it was.
    pub verdict: Verdict,
}

/// A parameter that does not fit the definition of its event's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where: the list that it stands in or is missing from.
    pub list: ParameterType,
    /// Its place in that list; `None` for one that is missing.
    pub at: Option<usize>,
    /// Which parameter it is, and what was expected.
    pub detail: String,
}

impl EventKind {
    /// What of an event's parameters, given by their names in their order, does not fit; empty where all of it does.
    pub fn misfits(&self, texts: &[&str], numbers: &[&str]) -> Vec<Misfit> {
        let mut wrong = Vec::new();
        for (list, names) in [(ParameterType::Text, texts), (ParameterType::Uint64, numbers)] {
            for (at, name) in names.iter().enumerate() {
                if let Some(detail) = self.fault(list, name) {
                    wrong.push(Misfit { list, at: Some(at), detail });
                }
            }
        }
        for Parameter { name, holds, need, .. } in &self.parameters {
            let is_there = texts.contains(&name.as_str()) || numbers.contains(&name.as_str());
            if *need == Need::Required && !is_there {
                let kind = &self.name;
                let detail = format!("`{kind}` needs the parameter `{name}` ({holds})");
                wrong.push(Misfit { list: *holds, at: None, detail });
            }
        }
        wrong
    }

    /// What is wrong with a parameter of this name in this list.
    fn fault(&self, list: ParameterType, name: &str) -> Option<String> {
        let kind = &self.name;
        let Some(known) = self.parameters.iter().find(|known| known.name == name) else {
            let known: Vec<String> =
                self.parameters.iter().map(|known| format!("`{}`", known.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Some(format!("`{kind}` has no parameter `{name}`; it has {known}"));
        };
        let right = match known.holds {
            ParameterType::Text => "a text: give it in `parameters_text`",
            ParameterType::Uint64 => "a number: give it in `parameters_uint64`",
        };
        (known.holds != list).then(|| format!("the parameter `{name}` of `{kind}` is {right}"))
    }
}

/// The first parameter whose name stood in its lists before, and its place among all of them.
pub fn repeated<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<(usize, &'n str)> {
    let mut seen = BTreeSet::new();
    names.into_iter().enumerate().find(|(_, name)| !seen.insert(*name))
}

/// What is wrong with the name of a kind; `None` where it is one.
pub fn kind_fault(name: &str) -> Option<String> {
    let is_word = |word: &str| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
        !word.is_empty() && word.chars().all(letters)
    };
    if name.is_empty() {
        return Some("a kind says what happened, e.g. `Software.Project.Created`".to_owned());
    }
    if name.chars().count() > LONGEST {
        return Some(format!("a kind has at most {LONGEST} characters"));
    }
    (!name.split('.').all(is_word)).then(|| {
        "a kind is words of letters, digits, `_` and `-` with dots between, e.g. \
         `Software.Project.Created`"
            .to_owned()
    })
}

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

impl Visibility {
    /// Whether users see it who administer nothing.
    pub const fn is_shown_outside(self) -> bool {
        match self {
            Self::External | Self::CustomerOnly => true,
            Self::Unknown | Self::Internal => false,
        }
    }
}

/// Whether a name is of those that records of Alertmill's own have.
pub fn is_own(kind: &str) -> bool {
    kind.starts_with(OWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str, holds: ParameterType, need: Need) -> Parameter {
        Parameter { name: name.to_owned(), holds, need, from: None }
    }

    fn kind(name: &str, severity: EventSeverity, records: &[(&str, Verdict)]) -> EventKind {
        let recorded = |(action, verdict): &(&str, Verdict)| Recorded {
            action: (*action).to_owned(),
            verdict: *verdict,
        };
        EventKind {
            name: name.to_owned(),
            description: "It happened.".to_owned(),
            severity,
            classification: Classification::Security,
            visibility: Visibility::Internal,
            list: EventList::AuditEvent,
            parameters: vec![
                parameter("name", ParameterType::Text, Need::Required),
                parameter("size", ParameterType::Uint64, Need::Optional),
            ],
            records: records.iter().map(recorded).collect(),
        }
    }

    fn book() -> Kinds {
        let failed = [("user.login", Verdict::Refused), ("token.use", Verdict::Refused)];
        Kinds::new([
            kind("Login.Failed", EventSeverity::Warning, &failed),
            kind("Login.Done", EventSeverity::Info, &[("user.login", Verdict::Done)]),
        ])
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named() {
        let kind = kind("A.B", EventSeverity::Info, &[]);
        assert_eq!(kind.misfits(&["name"], &["size"]), []);
        for (texts, numbers, place, word) in [
            (&["name", "nmae"][..], &[][..], Some(1), "`nmae`; it has `name`, `size`"),
            (&["name", "size"], &[], Some(1), "`size` of `A.B` is a number"),
            (&[], &["name"], Some(0), "`name` of `A.B` is a text"),
            (&[], &["size"], None, "`A.B` needs the parameter `name` (text)"),
        ] {
            let misfits = kind.misfits(texts, numbers);
            assert_eq!((misfits.len(), misfits[0].at), (1, place), "{misfits:?}");
            assert!(misfits[0].detail.contains(word), "{misfits:?}");
        }
        assert_eq!(repeated(["a", "b", "a"]), Some((2, "a")));
    }

    #[test]
    fn kinds_are_words_with_dots_between() {
        for good in ["Software.Project.Secret.Created", "a", "a_b.c-d.2"] {
            assert_eq!(kind_fault(good), None, "{good}");
        }
        let long = "a".repeat(256);
        for bad in ["", ".", "a.", "a..b", "a b", "é", "a\nb", &long] {
            assert!(kind_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn what_is_recorded_has_a_kind_of_its_own_or_its_actions() {
        let book = book();
        let failed = book.of_record("user.login", Verdict::Refused);
        assert_eq!(
            (failed.kind.as_str(), failed.severity),
            ("Login.Failed", EventSeverity::Warning)
        );
        let other = book.of_record("webhook.create", Verdict::Refused);
        assert_eq!(other.kind, "Alertmill.webhook.create.Refused");
        assert!(is_own(&other.kind) && other.definition.is_none());
    }

    #[test]
    fn what_is_asked_of_events_is_asked_of_records() {
        let book = book();
        let slices = |wanted: Wanted| match book.records(&wanted, Grain::Coarse) {
            Records::All => vec!["all".to_owned()],
            Records::Of(slices) => slices.iter().map(shown).collect(),
        };
        fn shown(slice: &Slice) -> String {
            match &slice.actions {
                Actions::Only(actions) => format!("{} {}", slice.verdict, actions.join(" ")),
                Actions::But(actions) => format!("{} but {}", slice.verdict, actions.join(" ")),
            }
        }
        let of = |kind: &str| Wanted { kind: Some(kind.to_owned()), ..Wanted::default() };
        assert_eq!(slices(Wanted::default()), ["all"]);
        assert_eq!(slices(of("Login.Failed")), ["refused token.use user.login"]);
        assert_eq!(slices(of("Alertmill.webhook.create")), ["done webhook.create"]);
        assert_eq!(slices(of("Alertmill.webhook.create.Refused")), ["refused webhook.create"]);
        assert_eq!(slices(of("Alertmill.user.login")), Vec::<String>::new());
        assert_eq!(slices(of("Other")), Vec::<String>::new());
        let info = Wanted { severity: Some(EventSeverity::Info), ..Wanted::default() };
        assert_eq!(slices(info.clone()), ["done user.login", "done but user.login"]);
        let both = Wanted { classification: Some(Classification::Security), ..info };
        assert_eq!(slices(both), ["done user.login"]);
        let Records::Of(fine) = book.records(&Wanted::default(), Grain::Fine) else {
            panic!("slices were asked for")
        };
        let fine: Vec<String> = fine.iter().map(shown).collect();
        assert_eq!(fine.len(), 5, "{fine:?}");
    }

    #[test]
    fn what_nobody_said_to_be_shown_is_not_shown_outside() {
        let shown: Vec<&str> = Visibility::ALL
            .iter()
            .filter(|visibility| visibility.is_shown_outside())
            .map(|visibility| visibility.as_str())
            .collect();
        assert_eq!(shown, ["external", "customerOnly"]);
    }
}
