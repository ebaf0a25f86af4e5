//! What fits a kind, and which records are of one.

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
    assert_eq!((failed.kind.as_str(), failed.severity), ("Login.Failed", EventSeverity::Warning));
    let other = book.of_record("webhook.create", Verdict::Refused);
    assert_eq!(other.kind, "Alertmill.webhook.create.Refused");
    assert!(is_own(&other.kind) && other.definition.is_none());
}

fn shown(slice: &Slice) -> String {
    match &slice.actions {
        Actions::Only(actions) => format!("{} {}", slice.verdict, actions.join(" ")),
        Actions::But(actions) => format!("{} but {}", slice.verdict, actions.join(" ")),
    }
}

#[test]
fn what_is_asked_of_events_is_asked_of_records() {
    let book = book();
    let slices = |wanted: Wanted| match book.records(&wanted, Grain::Coarse) {
        Records::All => vec!["all".to_owned()],
        Records::Of(slices) => slices.iter().map(shown).collect(),
    };
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
