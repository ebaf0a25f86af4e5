//! Writes a draft down: the mapping with a comment for each guess, and what stands beside it.

use super::{
    Body, Guess, Variant,
    look::{Variable, Writing},
    yaml::{Yaml, comment, entry, scalar},
};

/// The mapping.
pub(super) fn mapping(provider: &str, variants: &[Variant], variables: &[Variable]) -> String {
    let mut out = String::from("# yaml-language-server: $schema=../schema.json\n");
    comment(
        &mut out,
        0,
        "A draft by `alertmill rules new`. Each guess says why it was made; check it against what the provider documents, \
         then replace the comment by what the next reader should know.",
    );
    entry(&mut out, 0, "title", &Yaml::text(titled(provider)));
    if !variables.is_empty() {
        out.push_str("\nlet:\n");
        for variable in variables {
            written(&mut out, 2, variable);
        }
    }
    out.push_str("\nevents:\n");
    for (at, variant) in variants.iter().enumerate() {
        if at > 0 {
            out.push('\n');
        }
        one_variant(&mut out, variant);
    }
    out
}

/// A provider's name as people would write it.
pub(super) fn titled(provider: &str) -> String {
    let words = provider.split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join(" ")
}

fn written(out: &mut String, indent: usize, variable: &Variable) {
    let of = Yaml::text(&variable.of);
    let (why, value) = match variable.writing {
        Writing::Json => ("is JSON in a text", Yaml::table("json", of)),
        Writing::Pairs => ("is a list of pairs", Yaml::table("pairs", of)),
        Writing::PairsInJson => {
            ("is a list of pairs, as JSON in a text", Yaml::table("pairs", Yaml::table("json", of)))
        }
    };
    comment(out, indent, &format!("`{}` {why}.", variable.of));
    entry(out, indent, &variable.name, &value);
}

fn one_variant(out: &mut String, variant: &Variant) {
    if let Some(list) = &variant.group.list {
        comment(
            out,
            2,
            &sentence(
                &format!("One event for each element of `{}`", list.path),
                &list.because,
                &list.runners_up,
            ),
        );
    }
    out.push_str("  - name: ");
    out.push_str(&scalar(&variant.name));
    out.push('\n');
    if let Some(when) = &variant.when {
        entry(out, 4, "when", when);
    }
    if !variant.own.is_empty() {
        out.push_str("    let:\n");
        for variable in &variant.own {
            written(out, 6, variable);
        }
    }
    if let Some(list) = &variant.group.list {
        entry(out, 4, "each", &Yaml::text(format!("{}[*]", list.path)));
    }
    out.push_str("    set:\n");
    for Guess { field, value, because, runners_up } in &variant.guesses {
        comment(out, 6, &sentence("Guessed", because, runners_up));
        entry(out, 6, field, value);
    }
}

fn sentence(what: &str, because: &[String], runners_up: &[String]) -> String {
    let mut text = format!("{what}: {}.", because.join("; "));
    if !runners_up.is_empty() {
        text.push_str(" Runners-up: ");
        text.push_str(&runners_up.join(", "));
        text.push('.');
    }
    text
}

/// What to paste on the sender's side.
const SETUP: &str = "Have it post to this address:\n{url}\n";

/// The manifest.
pub(super) fn manifest(provider: &str, body: Body) -> String {
    let mut out = String::from("# yaml-language-server: $schema=../schema.json\n");
    entry(&mut out, 0, "title", &Yaml::text(titled(provider)));
    match body {
        Body::Json => out.push_str("body: json\n"),
        Body::Form => out.push_str("body:\n  form: {}\n"),
    }
    comment(
        &mut out,
        0,
        "Say here how it signs (`signatures`), what it asks first (`handshakes`) and where it names a delivery that it may send again (`sender_id`).",
    );
    out.push_str("setup: |\n");
    for line in SETUP.lines() {
        out.push_str("  ");
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The page for who sets the sender up.
pub(super) fn readme(provider: &str, findings: &[String]) -> String {
    let title = titled(provider);
    let findings: Vec<String> = findings.iter().map(|finding| format!("- {finding}")).collect();
    format!(
        "# {title}\n\nWhere to click on their side: say it here, step by step.\n\n```text\n{SETUP}```\n\n\
         ## What becomes of what\n\nA draft by `alertmill rules new`; of its samples:\n\n{}\n",
        findings.join("\n")
    )
}
