//! What a person who writes rules is told: mistakes made on purpose, and every word of the answer, in one snapshot.

use std::{fmt::Write as _, fs};

use alertmill::{
    load_error::LoadError,
    plugins::PluginBook,
    rules::{Rulebook, check::check},
};

/// Where the variants of a mapping begin, for mistakes that are deeper.
const HEAD: &str = "title: T\nevents:\n  - name: a\n    set:\n      event_key: $.id\n";

/// What a mapping may extend.
const BASE: &str = "\
title: Base
let:
  host: $.host
events:
  - name: problem
    set:
      event_key: '{{ $host }}/{{ $.id }}'
  - name: test
    when:
      $.test: true
    ignore: a test send
";

/// Mistakes in mappings: what it is, and the whole file.
pub const MAPPINGS: &[(&str, &str)] = &[
    ("an empty file", ""),
    ("a key of the file that is not known", "titel: T\nevents: []\n"),
    ("no title", "events:\n  - name: a\n    ignore: r\n"),
    ("no variants", "title: T\nevents: []\n"),
    ("variants that are no list", "title: T\nevents:\n  name: a\n"),
    ("a variant without a name", "title: T\nevents:\n  - set:\n      event_key: $.id\n"),
    (
        "two variants of a name",
        "title: T\nevents:\n  - name: a\n    when: {'$.a': 1}\n    ignore: r\n  - name: a\n    ignore: r\n",
    ),
    ("a variant that makes nothing", "title: T\nevents:\n  - name: a\n    when:\n      $.a: 1\n"),
    (
        "both set and ignore",
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: $.id\n    ignore: r\n",
    ),
    ("no key", "title: T\nevents:\n  - name: a\n    set:\n      title: $.title\n"),
    ("a typo in a field", "<HEAD>      sevrity: $.level\n"),
    ("a severity that is none", "<HEAD>      severity: CRITCAL\n"),
    (
        "a severity that is none, in a map",
        "<HEAD>      severity:\n        from: $.level\n        map:\n          high: HIGH\n        else: NONE\n",
    ),
    (
        "an event type that is none",
        "<HEAD>      event_type:\n        from: $.state\n        map:\n          ok: RESOLVED\n        else: ALERT\n",
    ),
    ("a key twice", "<HEAD>      event_key: $.uid\n"),
    ("a path that is none", "<HEAD>      title: $alert title\n"),
    ("a path with a space", "<HEAD>      title: $.alert title\n"),
    ("a name with a dot, unquoted in brackets", "<HEAD>      title: $.labels[host.name]\n"),
    ("a pattern inside a path", "<HEAD>      title: $.a[?match(@.b, 'x')]\n"),
    (
        "an unknown variable",
        "title: T\nlet:\n  message:\n    json: $.Message\nevents:\n  - name: a\n    set:\n      event_key: $mesage.id\n",
    ),
    (
        "a variable whose operator is misspelt",
        "title: T\nlet:\n  msg:\n    jsn: $.Message\nevents:\n  - name: a\n    set:\n      event_key: $msg.id\n",
    ),
    ("a misspelt operator", "<HEAD>      title:\n        form: $.title\n"),
    (
        "two operators in one table",
        "<HEAD>      title:\n        from: $.title\n        case:\n          - when: {'$.a': 1}\n            use: x\n",
    ),
    (
        "a list where one value is wanted",
        "<HEAD>      title:\n        - $.title\n        - $.name\n",
    ),
    (
        "an operator that takes no steps",
        "<HEAD>      description:\n        json: $.text\n        then:\n          - trim\n",
    ),
    (
        "an unknown step",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - lowr\n",
    ),
    (
        "a step that lacks what it needs",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - regex\n",
    ),
    (
        "a step that takes nothing",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - trim: ' '\n",
    ),
    (
        "a replacement by nothing",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - replace:\n              pattern: x\n",
    ),
    (
        "an index that is no number",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - index: last\n",
    ),
    (
        "a bad pattern",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - regex: '^\\[(\\w+\\]'\n",
    ),
    (
        "a group that the pattern has not",
        "<HEAD>      title:\n        from: $.title\n        then:\n          - regex: {pattern: '(a)', group: 2}\n",
    ),
    (
        "a bad time format",
        "<HEAD>      occurred_at:\n        from: $.when\n        then:\n          - time: 'YYYY-MM-DD'\n",
    ),
    (
        "a bad letter in a time format",
        "<HEAD>      occurred_at:\n        from: $.when\n        then:\n          - time: '%d.%m.%Y %Q'\n",
    ),
    ("an unknown filter", "<HEAD>      title: '{{ $.title | uper }}'\n"),
    ("an unclosed hole", "<HEAD>      title: '{{ $.title is down'\n"),
    ("a hole without a path", "<HEAD>      title: '{{ title }} is down'\n"),
    (
        "a word twice, but for its case",
        "<HEAD>      severity:\n        from: $.level\n        map:\n          High: ERROR\n          HIGH: CRITICAL\n        else: NONE\n",
    ),
    (
        "an item where there is none yet",
        "title: T\nevents:\n  - name: a\n    when:\n      '@.status': firing\n    each: $.alerts[*]\n    set:\n      event_key: '@.id'\n",
    ),
    (
        "a test that is none",
        "title: T\nevents:\n  - name: a\n    when:\n      $.alerts: {typ: array}\n    ignore: r\n",
    ),
    (
        "a type that is none",
        "title: T\nevents:\n  - name: a\n    when:\n      $.alerts: {type: list}\n    ignore: r\n",
    ),
    (
        "a test for null",
        "title: T\nevents:\n  - name: a\n    when:\n      $.alerts: null\n    ignore: r\n",
    ),
    (
        "exists that is no truth",
        "title: T\nevents:\n  - name: a\n    when:\n      $.alerts: {exists: yes}\n    ignore: r\n",
    ),
    (
        "a condition that is no table",
        "title: T\nevents:\n  - name: a\n    when: $.alerts\n    ignore: r\n",
    ),
    (
        "a clock in a key",
        "title: T\nevents:\n  - name: a\n    let:\n      now:\n        received: at\n    set:\n      event_key: '{{ $.id }}-{{ $now }}'\n",
    ),
    (
        "an index in flow style without quotes",
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: {from: [$.alerts[0].id, $.id]}\n",
    ),
    (
        "an item's path without quotes",
        "title: T\nevents:\n  - name: a\n    each: $.a[*]\n    set:\n      event_key: @.id\n",
    ),
    ("a template without quotes", "<HEAD>      title: {{ $.title }} is down\n"),
    ("a colon in a text without quotes", "<HEAD>      title: Problem: disk\n"),
    (
        "wrong indentation",
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: $.id\n     title: $.title\n",
    ),
    (
        "an anchor that is not there",
        "<HEAD>      severity:\n        from: $.level\n        map: *severities\n        else: NONE\n",
    ),
    ("a base that is not there", "extend: bse\n"),
    (
        "a variant that the base has not",
        "extend: base\nevents:\n  - name: problm\n    set:\n      severity: $.level\n",
    ),
    ("a base's variable taken away", "extend: base\nlet:\n  host: null\n"),
];

/// What is allowed and yet most likely not meant.
const WARNINGS: &[(&str, &str)] = &[
    (
        "an unreachable variant",
        "title: T\nevents:\n  - name: all\n    set:\n      event_key: $.id\n  - name: test\n    when:\n      $.test: true\n    ignore: r\n",
    ),
    (
        "a narrower variant below",
        "title: T\nevents:\n  - name: all\n    when:\n      $.kind: {exists: true}\n    set:\n      event_key: $.id\n  - name: test\n    when:\n      $.kind: test\n    ignore: r\n",
    ),
    (
        "a time in a key",
        "title: T\nevents:\n  - name: a\n    each: $.alerts[*]\n    set:\n      event_key: '{{ @.id }}-{{ @.startsAt }}'\n",
    ),
    (
        "the number of a send in a key, through a variable",
        "title: T\nlet:\n  id:\n    from:\n      - $.uid\n      - $.MessageId\nevents:\n  - name: a\n    set:\n      event_key: $id\n",
    ),
    (
        "a map without else",
        "<HEAD>      severity:\n        from: $.level\n        map:\n          high: ERROR\n",
    ),
    (
        "the empty word",
        "<HEAD>      severity:\n        from: $.level\n        map:\n          high: ERROR\n          '': NONE\n        else: NONE\n",
    ),
    (
        "a list that is not opened",
        "title: T\nevents:\n  - name: a\n    each: $.alerts\n    set:\n      event_key: '@.id'\n",
    ),
    (
        "all items in each",
        "title: T\nevents:\n  - name: a\n    each: $.alerts[*]\n    set:\n      event_key: '@.id'\n      title: $.alerts[*].title\n",
    ),
    (
        "a variable that nothing uses",
        "title: T\nlet:\n  msg:\n    json: $.Message\nevents:\n  - name: a\n    set:\n      event_key: $.id\n",
    ),
    (
        "a path in flow style without quotes",
        "title: T\nevents:\n  - name: a\n    set:\n      event_key: {from: [$.id, $.uid]}\n",
    ),
    ("a path in a text without braces", "<HEAD>      title: CPU of $.host is high\n"),
    ("one brace in place of two", "<HEAD>      title: 'CPU of {$.host} is high'\n"),
    ("a path without its root", "<HEAD>      title: .labels.alertname\n"),
    (
        "what follows a constant",
        "<HEAD>      title:\n        from:\n          - no title\n          - $.title\n",
    ),
];

/// Mistakes in manifests.
pub const MANIFESTS: &[(&str, &str)] = &[
    ("an empty manifest", ""),
    ("no title in a manifest", "body: json\n"),
    ("a key of the manifest that is not known", "title: T\nsignature: []\n"),
    ("an unknown body", "title: T\nbody: jsom\n"),
    ("a sender's identifier without its root", "title: T\nsender_id:\n  - body: MessageId\n"),
    ("a header's name that is none", "title: T\nsender_id:\n  - header: 'X Id'\n"),
    (
        "an unknown placeholder of a signature",
        "title: T\nsignatures:\n  - hmac:\n      header: X-Signature\n      signed: '{time}.{body}'\n",
    ),
    (
        "a signature that leaves the body out",
        "title: T\nsignatures:\n  - hmac:\n      header: X-Signature\n      signed: '{timestamp}'\n      timestamp: {header: X-Time}\n",
    ),
    (
        "a timestamp that is nowhere",
        "title: T\nsignatures:\n  - hmac:\n      header: X-Signature\n      signed: '{timestamp}.{body}'\n",
    ),
    (
        "an unknown algorithm",
        "title: T\nsignatures:\n  - hmac:\n      header: X-Signature\n      algorithm: md5\n      signed: '{body}'\n",
    ),
    (
        "an unknown kind of signature",
        "title: T\nsignatures:\n  - rsa:\n      header: X-Signature\n",
    ),
    (
        "a handshake that is answered with a fault",
        "title: T\nhandshakes:\n  - when:\n      - {body: $.type, is: ping}\n    reason: a ping\n    status: 404\n    reply: {text: ok}\n",
    ),
    (
        "a handshake without an answer",
        "title: T\nhandshakes:\n  - when:\n      - {body: $.type, is: ping}\n    reason: a ping\n",
    ),
    (
        "a host's pattern that is none",
        "title: T\nhandshakes:\n  - when:\n      - {body: $.type, is: ping}\n    reason: a ping\n    reply: {text: ok}\n    confirm: {url: $.url, host: '*.example.com'}\n",
    ),
];

/// What stands in the snapshot where a mistake goes unnoticed.
const NOTHING: &str = "nothing is said";

pub fn full(text: &str) -> String {
    text.replace("<HEAD>", HEAD)
}

fn mapping_errors(text: &str) -> Vec<LoadError> {
    let texts = [("base", BASE.to_owned()), ("mine", full(text))];
    let texts = texts.map(|(name, text)| (name.to_owned(), text));
    Rulebook::from_texts(texts).err().unwrap_or_default()
}

fn manifest_errors(text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("mine")).unwrap();
    fs::write(directory.path().join("mine/plugin.yaml"), text).unwrap();
    let errors = PluginBook::load(Some(directory.path())).err().unwrap_or_default();
    told(&errors).replace(&format!("{}/", directory.path().display()), "")
}

fn told(errors: &[LoadError]) -> String {
    if errors.is_empty() {
        return NOTHING.to_owned();
    }
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_mistake_is_told_with_its_place_and_what_was_meant() {
    let mut page = String::new();
    for (what, text) in MAPPINGS {
        let _ = writeln!(page, "# {what}\n{}\n", told(&mapping_errors(text)));
    }
    for (what, text) in WARNINGS {
        let warnings = check("mine", "mine/mapping.yaml", &full(text));
        let warnings = warnings.unwrap_or_else(|errors| panic!("{what}: {}", told(&errors)));
        let warnings: Vec<LoadError> = warnings.iter().map(LoadError::as_warning).collect();
        let _ = writeln!(page, "# {what}\n{}\n", told(&warnings));
    }
    for (what, text) in MANIFESTS {
        let _ = writeln!(page, "# {what}\n{}\n", manifest_errors(text));
    }
    insta::assert_snapshot!(page);
    assert!(!page.contains(NOTHING), "a mistake went unnoticed");
}
