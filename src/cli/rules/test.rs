//! `alertmill rules test`: holds samples to what stands beside them, and to the problems they show.

use std::{
    fmt::Write as _,
    fs,
    io::{self, IsTerminal},
    path::PathBuf,
};

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Screen, source::Source};
use crate::{
    cli::show::harmless,
    config::{RuleFiles, UpdateSamples},
    lab::samples::{Checked, Difference, SampleResult, Update, Verdict, check_samples_of},
    value::text::counted,
};

/// Hold samples to what stands beside them, and those of one problem to one key, as `problems.yaml` names them.
#[derive(Args)]
pub(super) struct Test {
    /// Directory of mappings, or the directory of one provider; that of `--rules`, or the built-in ones where absent.
    path: Option<PathBuf>,
    #[command(flatten)]
    update: UpdateSamples,
    /// Write the results to a file as `JUnit` has them.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

impl Test {
    /// Does it.
    pub(super) fn run(&self, files: &RuleFiles, screen: &Screen) -> Result<(), Failure> {
        let source = Source::find(self.path.as_deref(), files)?;
        let update = if self.update.update { Update::Rewrite } else { Update::Compare };
        let only = source.provider.as_deref();
        let results = check_samples_of(&source.shelf, &source.books, only, update)
            .map_err(|cause| Failure::usage(format!("The samples cannot be read: {cause}.")))?;
        if let Some(file) = &self.junit {
            fs::write(file, junit(&results)).map_err(|cause| {
                Failure::usage(format!("`{}` cannot be written: {cause}.", file.display()))
            })?;
        }
        let wrong: Vec<&SampleResult> =
            results.iter().filter(|result| !result.is_right()).collect();
        let shown: Vec<Value> = results.iter().map(sample).collect();
        screen.show(&json!({ "results": shown, "wrong": wrong.len() }), |_| summary(&results))?;
        if wrong.is_empty() {
            return Ok(());
        }
        let paint = if io::stderr().is_terminal() { Paint::Colours } else { Paint::Plain };
        let told: Vec<String> = wrong.iter().map(|result| told(result, paint)).collect();
        Err(Failure::refused(told.join("\n\n")))
    }
}

fn summary(results: &[SampleResult]) -> String {
    let rewritten = results.iter().filter(|result| result.verdict == Verdict::Rewritten);
    let rewritten: Vec<&str> = rewritten.map(|result| result.file.as_str()).collect();
    let count = |checked: Checked| {
        let of = results.iter().filter(move |result| result.checked == checked);
        (of.clone().count(), of.filter(|result| !result.is_right()).count())
    };
    let ((samples, wrong), (problems, parted)) = (count(Checked::Sample), count(Checked::Problem));
    let mut text =
        format!("{}, {wrong} not as they should be.\n", counted(samples as u64, "sample"));
    let _ = match problems {
        0 => write!(
            text,
            "No problems.yaml says which of them are of one problem and must have one key."
        ),
        _ => write!(
            text,
            "{} of problems.yaml, {parted} not of one key that is theirs alone.",
            counted(problems as u64, "problem")
        ),
    };
    for file in rewritten {
        let _ = write!(text, "\nrewritten: {file}");
    }
    text
}

fn sample(result: &SampleResult) -> Value {
    let differences: Vec<Value> = match &result.verdict {
        Verdict::Differs(all) => all
            .iter()
            .map(|Difference { pointer, expected, actual }| {
                json!({ "pointer": pointer, "expected": expected, "actual": actual })
            })
            .collect(),
        Verdict::Holds | Verdict::Unsaid | Verdict::Rewritten | Verdict::Broken(_) => Vec::new(),
    };
    json!({
        "file": result.file,
        "right": result.is_right(),
        "said": result.to_string(),
        "differences": differences,
    })
}

/// Whether a terminal shows colours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Paint {
    Colours,
    Plain,
}

impl Paint {
    fn red(self, text: &str) -> String {
        self.in_colour("31", text)
    }

    fn green(self, text: &str) -> String {
        self.in_colour("32", text)
    }

    fn in_colour(self, colour: &str, text: &str) -> String {
        match self {
            Self::Colours => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// What is wrong with a sample: for each field what is expected, and below it what came.
fn told(result: &SampleResult, paint: Paint) -> String {
    let Verdict::Differs(differences) = &result.verdict else {
        return harmless(&result.to_string());
    };
    let mut text = format!("{}: not as expected", result.file);
    for Difference { pointer, expected, actual } in differences {
        let _ = write!(text, "\n  {}", harmless(pointer));
        for line in lines(expected.as_ref()) {
            let _ = write!(text, "\n    {}", paint.red(&format!("- {line}")));
        }
        for line in lines(actual.as_ref()) {
            let _ = write!(text, "\n    {}", paint.green(&format!("+ {line}")));
        }
    }
    text
}

fn lines(value: Option<&Value>) -> Vec<String> {
    let text = match value {
        None => "(nothing)".to_owned(),
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()),
    };
    harmless(&text).lines().map(str::to_owned).collect()
}

/// The results as build servers read them.
fn junit(results: &[SampleResult]) -> String {
    let wrong = results.iter().filter(|result| !result.is_right()).count();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"alertmill rules\" tests=\"{}\" failures=\"{wrong}\">\n",
        results.len()
    );
    for result in results {
        let (provider, case) = (escaped(&result.provider), escaped(&result.case));
        let _ = write!(xml, "  <testcase classname=\"{provider}\" name=\"{case}\"");
        if result.is_right() {
            xml.push_str("/>\n");
            continue;
        }
        let text = escaped(&told(result, Paint::Plain));
        let _ = writeln!(
            xml,
            ">\n    <failure message=\"{}\">{text}</failure>\n  </testcase>",
            escaped(&result.file)
        );
    }
    xml.push_str("</testsuite>\n");
    xml
}

/// A text as XML may hold it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_the_problems_they_show_are_counted_apart() {
        let right = SampleResult { verdict: Verdict::Holds, ..differing() };
        let parted = Verdict::Broken("line 1, [y, z]: …".to_owned());
        let problem = SampleResult { checked: Checked::Problem, verdict: parted, ..differing() };
        let said = "2 samples, 1 not as they should be.\n1 problem of problems.yaml, 1 not of one key that is theirs alone.";
        assert_eq!(summary(&[right.clone(), differing(), problem]), said);
        assert!(summary(&[right]).contains("No problems.yaml"));
    }

    fn differing() -> SampleResult {
        let expected = Some(json!("<a> & b"));
        let differences =
            vec![Difference { pointer: "/events/0/title".into(), expected, actual: None }];
        SampleResult {
            checked: Checked::Sample,
            file: "x/samples/y.json".into(),
            provider: "x".into(),
            case: "y".into(),
            verdict: Verdict::Differs(differences),
        }
    }

    #[test]
    fn a_difference_shows_both_sides_one_below_the_other() {
        insta::assert_snapshot!(told(&differing(), Paint::Plain), @r#"
        x/samples/y.json: not as expected
          /events/0/title
            - "<a> & b"
            + (nothing)
        "#);
        assert!(told(&differing(), Paint::Colours).contains("\u{1b}[31m- \"<a> & b\"\u{1b}[0m"));
    }

    #[test]
    fn build_servers_read_the_results() {
        let right = SampleResult { verdict: Verdict::Holds, case: "z".into(), ..differing() };
        insta::assert_snapshot!(junit(&[right, differing()]), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuite name="alertmill rules" tests="2" failures="1">
          <testcase classname="x" name="z"/>
          <testcase classname="x" name="y">
            <failure message="x/samples/y.json">x/samples/y.json: not as expected
          /events/0/title
            - &quot;&lt;a&gt; &amp; b&quot;
            + (nothing)</failure>
          </testcase>
        </testsuite>
        "#);
    }
}
