//! The steps of `then`.

use schemars::JsonSchema;

use super::values::Value;

/// A step of `then`.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Step {
    Bare(BareStep),
    Regex(RegexStep),
    Replace(ReplaceStep),
    Split(SplitStep),
    Join(JoinStep),
    Each(EachStep),
    Index(IndexStep),
    Time(TimeStep),
    Default(DefaultStep),
}

/// A step that needs to be told nothing.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub(super) enum BareStep {
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// Without space at either end.
    Trim,
    /// A list without repetitions.
    Unique,
    /// The number that a text stands for.
    Number,
    /// A text read as JSON.
    Json,
    /// An object made of pairs.
    Pairs,
    /// A time, however it is written, as RFC 3339.
    Time,
    /// One text of a list, with `, ` between its elements.
    Join,
    /// A list of the parts of a text between commas.
    Split,
}

operators! {
    /// Takes what a pattern captures.
    RegexStep {
        /// The pattern; nothing comes out where it does not match.
        regex: Pattern
    }
    /// Replaces each match.
    ReplaceStep {
        /// What by what.
        replace: Replace
    }
    /// A list of the parts of a text.
    SplitStep {
        /// What stands between the parts.
        #[schemars(length(min = 1))]
        split: String
    }
    /// One text of a list.
    JoinStep {
        /// What stands between the elements, and what each becomes.
        join: Join
    }
    /// A list with this value for each element.
    EachStep {
        /// The value; `@` is the element.
        each: Value
    }
    /// One element of a list.
    IndexStep {
        /// Which, from zero; from the end if negative.
        index: i64
    }
    /// A time, as RFC 3339.
    TimeStep {
        /// `auto`, or a `strftime` format.
        time: String
    }
    /// A value, where nothing has come out so far.
    DefaultStep {
        /// The value.
        default: Value
    }
}

/// A pattern, and which of its groups is taken.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Pattern {
    /// The pattern; its first group is taken, or all of it.
    Plain(String),
    Grouped(Grouped),
}

/// A pattern and a group.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Grouped {
    /// The pattern.
    pattern: String,
    /// The number or the name of the group.
    group: Option<Group>,
}

/// The number or the name of a group.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Group {
    Number(u32),
    Name(String),
}

/// What is replaced by what.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Replace {
    /// The pattern.
    pattern: String,
    /// What stands in its place; `$1` is the first group.
    with: String,
}

/// How a list becomes a text.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Join {
    /// What stands between the elements.
    Plain(String),
    Each(JoinEach),
}

/// How the elements of a list are joined.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct JoinEach {
    /// What stands between them; `, ` where absent.
    with: Option<String>,
    /// What each becomes; `@` is the element.
    each: Option<Value>,
}
