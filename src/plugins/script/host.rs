//! What scripts may call: the global `mill`. None of it has effects or remembers anything that a script could see.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regex::{Regex, RegexBuilder};
use rquickjs::{Ctx, Exception, Function, IntoJs, Object, Result, Value, function::Opt};
use serde_json::{Map, Value as Json, json};

use super::host_data;
use crate::digest::{hex, hmac_sha1, hmac_sha256, hmac_sha512, same_bytes, sha256};

/// How many bytes of text a function of the host takes, and gives: what it holds does not count as the script's memory.
const TEXT: usize = 1 << 20;

/// How many things a function of the host gives at most.
pub(super) const ITEMS: usize = 10_000;

/// How many patterns are kept compiled.
const PATTERNS: usize = 64;

/// Patterns that were compiled before: compiling costs more than matching.
#[derive(Clone, Default)]
pub(super) struct Patterns(Rc<RefCell<BTreeMap<String, Regex>>>);

/// A pattern whose matching takes a time proportional to the text.
struct Pattern(Regex);

/// Puts `mill` there.
pub(super) fn install(ctx: &Ctx<'_>, patterns: &Patterns) -> Result<()> {
    let mill = Object::new(ctx.clone())?;
    mill.set("hmac", Function::new(ctx.clone(), hmac)?)?;
    mill.set("sha256", Function::new(ctx.clone(), hash)?)?;
    mill.set("same", Function::new(ctx.clone(), same)?)?;
    mill.set("xml", Function::new(ctx.clone(), host_data::xml)?)?;
    mill.set("csv", Function::new(ctx.clone(), host_data::csv)?)?;
    mill.set("keyValues", Function::new(ctx.clone(), host_data::key_values)?)?;

    let base64 = Object::new(ctx.clone())?;
    base64.set("encode", Function::new(ctx.clone(), encode)?)?;
    base64.set("decode", Function::new(ctx.clone(), decode)?)?;
    mill.set("base64", base64)?;

    let time = Object::new(ctx.clone())?;
    time.set("parse", Function::new(ctx.clone(), host_data::time)?)?;
    time.set("millis", Function::new(ctx.clone(), host_data::millis)?)?;
    mill.set("time", time)?;

    mill.set("regex", regex(ctx, patterns)?)?;
    ctx.globals().set("mill", mill)
}

fn regex<'js>(ctx: &Ctx<'js>, patterns: &Patterns) -> Result<Object<'js>> {
    let regex = Object::new(ctx.clone())?;
    let known = patterns.clone();
    let first = move |ctx: Ctx<'js>, text: String, pattern: String| {
        let found = known.get(&ctx, &pattern)?.all(&ctx, &text, 1)?;
        to_js(&ctx, found.first().unwrap_or(&Json::Null))
    };
    regex.set("match", Function::new(ctx.clone(), first)?)?;
    let known = patterns.clone();
    let all = move |ctx: Ctx<'js>, text: String, pattern: String| {
        let found = known.get(&ctx, &pattern)?.all(&ctx, &text, usize::MAX)?;
        to_js(&ctx, &Json::Array(found))
    };
    regex.set("all", Function::new(ctx.clone(), all)?)?;
    let known = patterns.clone();
    let replace = move |ctx: Ctx<'js>, text: String, pattern: String, with: String| {
        known.get(&ctx, &pattern)?.replaced(&ctx, &text, &with)
    };
    regex.set("replace", Function::new(ctx.clone(), replace)?)?;
    Ok(regex)
}

impl Patterns {
    fn get(&self, ctx: &Ctx<'_>, pattern: &str) -> Result<Pattern> {
        if let Some(known) = self.0.borrow().get(pattern) {
            return Ok(Pattern(known.clone()));
        }
        let built = RegexBuilder::new(pattern).size_limit(1 << 18).dfa_size_limit(1 << 20).build();
        let regex = built.map_err(|fault| {
            let fault = fault.to_string();
            let fault = fault.lines().last().unwrap_or_default().trim();
            Exception::throw_syntax(ctx, &format!("`{pattern:.100}` is no pattern: {fault}"))
        })?;
        let mut known = self.0.borrow_mut();
        if known.len() >= PATTERNS {
            known.clear();
        }
        known.insert(pattern.to_owned(), regex.clone());
        Ok(Pattern(regex))
    }
}

impl Pattern {
    /// The first `most` matches: of each its text, its groups by number from one, and those with names.
    fn all(&self, ctx: &Ctx<'_>, text: &str, most: usize) -> Result<Vec<Json>> {
        let group = |group: Option<regex::Match<'_>>| {
            group.map_or(Json::Null, |group| Json::from(group.as_str()))
        };
        let (mut all, mut size) = (Vec::new(), 0);
        for found in self.0.captures_iter(bounded(ctx, text)?).take(most) {
            // Groups may stand in groups, so all of them may be far longer than the text.
            size += found.iter().flatten().map(|group| group.len()).sum::<usize>();
            if all.len() == ITEMS || size > 2 * TEXT {
                return Err(too_many(ctx));
            }
            let groups: Vec<Json> = found.iter().skip(1).map(group).collect();
            let all_named = self.0.capture_names().flatten();
            let named: Map<String, Json> =
                all_named.map(|name| (name.to_owned(), group(found.name(name)))).collect();
            all.push(json!({ "match": &found[0], "groups": groups, "named": named }));
        }
        Ok(all)
    }

    fn replaced(&self, ctx: &Ctx<'_>, text: &str, with: &str) -> Result<String> {
        let references = with.matches('$').count();
        let (mut made, mut rest) = (String::new(), 0);
        for found in self.0.captures_iter(bounded(ctx, text)?) {
            let Some(whole) = found.get(0) else { continue };
            made.push_str(&text[rest..whole.start()]);
            rest = whole.end();
            // The most that this replacement can become.
            if made.len() + with.len() + references * whole.len() > TEXT {
                return Err(too_long(ctx));
            }
            found.expand(with, &mut made);
        }
        made.push_str(&text[rest..]);
        bounded(ctx, &made)?;
        Ok(made)
    }
}

fn hmac(
    ctx: Ctx<'_>,
    algorithm: String,
    key: String,
    text: String,
    encoding: Opt<String>,
) -> Result<String> {
    let (key, text) = (key.as_bytes(), text.as_bytes());
    let tag = match algorithm.as_str() {
        "sha1" => hmac_sha1(key, text),
        "sha256" => hmac_sha256(key, text).to_vec(),
        "sha512" => hmac_sha512(key, text).to_vec(),
        other => {
            let expected = "expected sha1, sha256 or sha512";
            let reason = format!("nobody knows the algorithm `{other:.40}`; {expected}");
            return Err(Exception::throw_range(&ctx, &reason));
        }
    };
    written(&ctx, &tag, encoding)
}

fn hash(ctx: Ctx<'_>, text: String, encoding: Opt<String>) -> Result<String> {
    written(&ctx, &sha256(text.as_bytes()), encoding)
}

/// Bytes in an encoding; in hexadecimal digits where none is named.
fn written(ctx: &Ctx<'_>, bytes: &[u8], encoding: Opt<String>) -> Result<String> {
    match encoding.0.as_deref() {
        None | Some("hex") => Ok(hex(bytes)),
        Some("base64") => Ok(STANDARD.encode(bytes)),
        Some(other) => {
            let reason = format!("nobody knows the encoding `{other:.40}`; expected hex or base64");
            Err(Exception::throw_range(ctx, &reason))
        }
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn same(a: String, b: String) -> bool {
    same_bytes(a.as_bytes(), b.as_bytes())
}

fn encode(ctx: Ctx<'_>, text: String) -> Result<String> {
    Ok(STANDARD.encode(bounded(&ctx, &text)?))
}

/// The text that base64 stands for; null where it is none, or no text.
fn decode(ctx: Ctx<'_>, text: String) -> Result<Option<String>> {
    let bytes = STANDARD.decode(bounded(&ctx, &text)?.trim()).ok();
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// A text, if it is not too long.
pub(super) fn bounded<'t>(ctx: &Ctx<'_>, text: &'t str) -> Result<&'t str> {
    if text.len() <= TEXT {
        return Ok(text);
    }
    Err(too_long(ctx))
}

fn too_long(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_range(ctx, "the host takes and gives texts of 1 MB at most")
}

pub(super) fn too_many(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_range(ctx, &format!("more than {ITEMS} came out"))
}

/// JSON as a value of the script.
pub(super) fn to_js<'js>(ctx: &Ctx<'js>, value: &Json) -> Result<Value<'js>> {
    match value {
        Json::Null => Ok(Value::new_null(ctx.clone())),
        Json::String(text) => text.as_str().into_js(ctx),
        other => ctx.json_parse(other.to_string()),
    }
}
