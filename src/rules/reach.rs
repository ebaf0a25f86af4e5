//! Which variants no payload reaches, as far as that can be told without a payload.

use super::{
    mapping::Mapping,
    scene::Slot,
    when::{Condition, Subject, Test, Type, When},
};

/// Each variant that is never reached, and the one above it that takes what it waits for; both by their place.
pub(super) fn shadowed(mapping: &Mapping) -> Vec<(usize, usize)> {
    let world = World { common: mapping.lets.len(), has_missing: mapping.missing.is_some() };
    let whens: Vec<&When> = mapping.variants.iter().map(|variant| &variant.when).collect();
    let mut found = Vec::new();
    for (at, when) in whens.iter().enumerate() {
        let taken: Option<Vec<usize>> = tables(when)
            .map(|table| whens[..at].iter().position(|before| world.takes(before, table)))
            .collect();
        if let Some(by) = taken.and_then(|by| by.last().copied()) {
            found.push((at, by));
        }
    }
    found
}

/// The tables of a condition; one without tests where it has none.
fn tables(when: &When) -> impl Iterator<Item = &[Condition]> {
    let always = when.any.is_empty().then_some(&[][..]);
    when.any.iter().map(Vec::as_slice).chain(always)
}

/// What a comparison of conditions needs to know.
struct World {
    /// How many variables mean the same in all variants.
    common: usize,
    /// Whether some texts count as not there.
    has_missing: bool,
}

impl World {
    /// Whether a condition holds wherever all of `table` holds.
    fn takes(&self, when: &When, table: &[Condition]) -> bool {
        tables(when).any(|needed| {
            needed.iter().all(|wanted| {
                table.iter().any(|given| {
                    self.is_same(&given.subject, &wanted.subject)
                        && self.implies(&given.test, &wanted.test)
                })
            })
        })
    }

    fn is_same(&self, a: &Subject, b: &Subject) -> bool {
        match (a, b) {
            (Subject::Path(a), Subject::Path(b)) => {
                let is_common = !matches!(a.slot, Slot::Shared(slot) if slot >= self.common);
                is_common && a.slot == b.slot && a.path.to_string() == b.path.to_string()
            }
            (Subject::Header(a), Subject::Header(b)) | (Subject::Query(a), Subject::Query(b)) => {
                a == b
            }
            (Subject::Path(_) | Subject::Header(_) | Subject::Query(_), _) => false,
        }
    }

    /// Whether `wanted` holds wherever `given` does. In doubt it does not.
    fn implies(&self, given: &Test, wanted: &Test) -> bool {
        match (given, wanted) {
            (_, Test::All(all)) => all.iter().all(|wanted| self.implies(given, wanted)),
            (Test::All(all), _) => all.iter().any(|given| self.implies(given, wanted)),
            (Test::Same(words), Test::Same(more)) => {
                words.iter().all(|word| more.iter().any(|other| other.folded == word.folded))
            }
            (Test::Same(words), Test::Exists(true)) => {
                !self.has_missing && words.iter().all(|word| !word.folded.is_empty())
            }
            (Test::Is(kind), Test::Exists(true)) => !matches!(kind, Type::String | Type::Null),
            (Test::Exists(a), Test::Exists(b)) => a == b,
            (Test::Is(a), Test::Is(b)) => a == b,
            (Test::Matches(a), Test::Matches(b)) => a.as_str() == b.as_str(),
            (Test::Not(a), Test::Not(b)) => self.implies(b, a),
            (
                Test::Same(_) | Test::Exists(_) | Test::Matches(_) | Test::Is(_) | Test::Not(_),
                Test::Same(_) | Test::Exists(_) | Test::Matches(_) | Test::Is(_) | Test::Not(_),
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::compile::compile;

    /// Which variants of these conditions, in YAML, are never reached, and because of which.
    fn unreached(whens: &[&str]) -> Vec<(usize, usize)> {
        let variants = whens
            .iter()
            .zip(0..)
            .map(|(when, at)| format!("  - name: v{at}\n    when: {when}\n    ignore: r\n"));
        let text = format!("title: T\nevents:\n{}", variants.collect::<String>());
        shadowed(&compile("t", "t.yaml", &text).unwrap_or_else(|errors| panic!("{errors:?}")))
    }

    #[test]
    fn a_broader_condition_above_takes_everything() {
        for (above, below) in [
            ("[]", "{'$.a': 1}"),
            ("{'$.a': {exists: true}}", "{'$.a': [x, y]}"),
            ("{'$.a': {exists: true}}", "{'$.a': {type: array}, '$.b': 1}"),
            ("{'$.a': [x, y]}", "{'$.a': X}"),
            ("[{'$.a': 1}, {'$.b': 2}]", "[{'$.b': 2, '$.c': 3}, {'$.a': 1.0}]"),
            ("{'$.a': {not: x}}", "{'$.a': {not: [x, y]}}"),
            ("{'$.a': {regex: x}}", "{'$.a': {regex: x, type: string}}"),
            ("{header.A: b}", "{header.a: b}"),
        ] {
            assert_eq!(unreached(&[above, below]), [(1, 0)], "{above} {below}");
        }
        assert_eq!(unreached(&["{'$.a': 1}", "{'$.a': 2}", "{'$.a': [1]}"]), [(2, 0)]);
    }

    #[test]
    fn other_conditions_leave_something() {
        for (above, below) in [
            ("{'$.a': [x, y]}", "{'$.a': [x, z]}"),
            ("{'$.a': {exists: true}}", "{'$.a': {type: string}}"),
            ("{'$.a': 1, '$.b': 2}", "{'$.a': 1}"),
            ("{'$.a': {not: [x, y]}}", "{'$.a': {not: x}}"),
            ("{header.a: b}", "{query.a: b}"),
        ] {
            assert_eq!(unreached(&[above, below]), [], "{above} {below}");
        }
    }
}
