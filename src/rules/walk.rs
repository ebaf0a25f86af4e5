//! Walking through an expression: every path, and every place that is counted.

use super::{
    expr::{Chain, Expr, Lookup, Otherwise},
    ops::Step,
    scene::Source,
    tally::Site,
    template::Part as TemplatePart,
    when::{Subject, When},
};

/// A part of an expression.
pub(super) enum Part<'e> {
    /// A path.
    Source(&'e mut Source, Depth),
    /// The steps of a chain, before what is in them.
    Steps(&'e mut Vec<Step>),
    /// An arm of a `case`.
    Arm(&'e mut Site),
    /// An `else`, or a step `default`.
    Default(&'e mut Site),
    /// A `map`, before what is in it.
    Lookup(&'e mut Lookup),
}

/// What `@` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What it is around the expression.
    Item,
    /// An element of a list that a step goes through.
    Nested,
}

/// Shows every part of an expression to `see`.
pub(super) fn walk(expr: &mut Expr, depth: Depth, see: &mut dyn FnMut(Part<'_>)) {
    match expr {
        Expr::Path(source) => see(Part::Source(source, depth)),
        Expr::Template(template) => {
            for part in &mut template.parts {
                if let TemplatePart::Hole(source, _) = part {
                    see(Part::Source(source, depth));
                }
            }
        }
        Expr::Constant(_) | Expr::Header(_) | Expr::Query(_) | Expr::ReceivedAt => {}
        Expr::Hash(parts) | Expr::List(parts) | Expr::Merge(parts) => {
            for part in parts {
                walk(part, depth, see);
            }
        }
        Expr::Json(of) | Expr::Object(of) | Expr::Pairs(of) | Expr::Once(_, of) => {
            walk(of, depth, see);
        }
        Expr::Fields(fields) => {
            for (_, field) in fields {
                walk(field, depth, see);
            }
        }
        Expr::Chain(chain) => walk_chain(chain, depth, see),
        Expr::Case(arms, otherwise) => {
            for arm in arms {
                see(Part::Arm(&mut arm.site));
                walk_when(&mut arm.when, depth, see);
                walk(&mut arm.gives, depth, see);
            }
            if let Some(otherwise) = otherwise {
                walk_otherwise(otherwise, depth, see);
            }
        }
    }
}

fn walk_chain(chain: &mut Chain, depth: Depth, see: &mut dyn FnMut(Part<'_>)) {
    for part in &mut chain.from {
        walk(part, depth, see);
    }
    see(Part::Steps(&mut chain.then));
    for step in &mut chain.then {
        match step {
            Step::Join(_, Some(each)) | Step::Each(each) => walk(each, Depth::Nested, see),
            Step::Default(otherwise) => walk_otherwise(otherwise, depth, see),
            Step::Join(_, None)
            | Step::Filter(_)
            | Step::Regex(..)
            | Step::Replace(..)
            | Step::Split(_)
            | Step::Index(_)
            | Step::Unique
            | Step::Number
            | Step::Time(_)
            | Step::Json
            | Step::Pairs => {}
        }
    }
    if let Some(map) = &mut chain.map {
        see(Part::Lookup(map));
        for row in &mut map.rows {
            walk(&mut row.becomes, depth, see);
        }
    }
    if let Some(otherwise) = &mut chain.otherwise {
        walk_otherwise(otherwise, depth, see);
    }
}

fn walk_otherwise(otherwise: &mut Otherwise, depth: Depth, see: &mut dyn FnMut(Part<'_>)) {
    see(Part::Default(&mut otherwise.site));
    walk(&mut otherwise.gives, depth, see);
}

/// Shows every path of a condition to `see`.
fn walk_when(when: &mut When, depth: Depth, see: &mut dyn FnMut(Part<'_>)) {
    for condition in when.any.iter_mut().flatten() {
        if let Subject::Path(source) = &mut condition.subject {
            see(Part::Source(source, depth));
        }
    }
}
