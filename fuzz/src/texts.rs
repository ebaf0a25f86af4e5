//! Changes to rule files and manifests: what authors mistype, and what nobody would write.

use super::{dice::Dice, shelf::Shelf};

/// What has a meaning in rule files, in manifests or in YAML itself.
const PIECES: &[&str] = &[
    "from: ",
    "map: {a: ALERT}",
    "else: ",
    "then: [lower, {regex: '(.*)'}, {split: ','}, {join: '-'}]",
    "case: [{when: {$.a: b}, use: c}]",
    "each: $..a",
    "each: $.*[*]",
    "when: [{$.a: {not: {regex: a+}}}, {header.X: [a, b]}]",
    "hash: [$.a, '@.b']",
    "json: $.a",
    "object: $",
    "pairs: $.a",
    "list: [$.a, [$.b]]",
    "fields: {a: {fields: {b: $}}}",
    "merge: [$, '@']",
    "let: {a: $.a, b: $a.b}",
    "missing: ['^$', '(']",
    "ignore: no",
    "extend: other",
    "\"{{ $.a | upper | trim }} {{\"",
    "\"{{ }}\"",
    "$.a[?@.b == 'c'].d",
    "$.a[?@.b >= -1e400 && !(@.c || length(@.d) < 2)]",
    "$['a'][\"b\"][-1][0:9:2]",
    "$.a[99999999999999999999]",
    "$..*",
    "$var.a",
    "@",
    "$",
    "*anchor",
    "&anchor ",
    "<<: *anchor",
    "!!binary aGk=",
    "!tag ",
    "--- # base other",
    "...",
    "%YAML 9.9",
    "? a",
    "|\n ",
    ">-",
    "{",
    "[",
    "]",
    "}",
    "'",
    "\"",
    "\t",
    "~",
    "0x10",
    "0o17",
    ".inf",
    ".nan",
    "1_000",
    "12345678901234567890123",
    "yes",
    "2026-01-01",
    "(?i)^(a|b){1,1000}$",
    "((a{1,100}){1,100}){1,100}",
    "\\p{L}*\\b(?<key>x)(?<value>y)",
    "%Y-%m-%d %H:%M:%S%.f %z %Q %",
    "hmac: {header: X, signed: '{timestamp}.{body}', timestamp: {entry: t=}}",
    "body: {text: {line: '(?<key>a)(?<value>b)'}}",
    "body: {xml: {lists: [a]}}",
    "handshakes: [{when: [{body: $.a, exists: true}], reason: r, reply: {echo: $.a}}]",
    "confirm: {url: $.a, host: '.*'}",
    "\u{0}",
    "\u{feff}",
    "\u{1f469}\u{200d}",
];

/// A text of `all`, changed.
pub fn text<'t>(
    dice: &mut Dice<'_>,
    shelf: &Shelf,
    all: impl Iterator<Item = &'t String>,
) -> String {
    let all: Vec<&String> = all.collect();
    let mut lines: Vec<String> = dice.of(&all).lines().map(str::to_owned).collect();
    for _ in 0..=dice.below(6) {
        change(dice, shelf, &all, &mut lines);
    }
    let mut text = lines.join("\n");
    if dice.one_in(8) {
        text.push_str(&String::from_utf8_lossy(dice.rest()));
    }
    text
}

fn change(dice: &mut Dice<'_>, shelf: &Shelf, all: &[&String], lines: &mut Vec<String>) {
    if lines.is_empty() {
        lines.push(String::new());
    }
    let at = dice.below(lines.len());
    match dice.below(11) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, lines[at].clone()),
        2 => {
            let other = dice.below(lines.len());
            lines.swap(at, other);
        }
        3 => lines[at] = format!("{}{}", " ".repeat(dice.below(9)), lines[at]),
        4 => lines[at] = lines[at].trim_start_matches("  ").to_owned(),
        5 => lines[at] = with_other_word(dice, shelf, &lines[at]),
        6 => {
            let indent = lines[at].len() - lines[at].trim_start().len();
            let piece = *dice.of(PIECES);
            lines.insert(at, format!("{}{piece}", " ".repeat(indent)));
        }
        7 => {
            let value = lines[at].find(": ").map_or(0, |colon| colon + 2);
            lines[at] = format!("{}{}", &lines[at][..value], dice.of(PIECES));
        }
        8 => {
            let text = *dice.of(all);
            let from: Vec<&str> = text.lines().collect();
            let start = dice.below(from.len());
            let end = (start + dice.below(12)).min(from.len());
            lines.splice(at..at, from[start..end].iter().map(|line| (*line).to_owned()));
        }
        9 => {
            let many = *dice.of(&[3, 20, 100, 700]);
            let piece = if dice.one_in(2) { "[" } else { "{a: " };
            lines[at].push_str(&piece.repeat(many));
        }
        _ => lines.truncate(at + 1),
    }
}

fn with_other_word(dice: &mut Dice<'_>, shelf: &Shelf, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let place = dice.below(words.len());
    let new = if dice.one_in(2) { dice.of(PIECES) } else { dice.of(&shelf.words).as_str() };
    let with = |(at, word)| if at == place { new } else { word };
    words.into_iter().enumerate().map(with).collect::<Vec<_>>().join(" ")
}
