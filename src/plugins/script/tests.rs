//! Scripts that do what they should, and scripts that do what they must not: none of it reaches the next call.
#![cfg(feature = "plugins-js")]

use serde_json::{Value, json};

use super::*;
use crate::{clock::Stopwatch, domain::delivery::Delivery, plugins::cases::delivery};

fn load(text: &str) -> Result<Script, String> {
    Script::load("plugins/x/main.js", text.as_bytes()).map_err(|error| error.sentence())
}

fn posted() -> Delivery {
    delivery(&[("x-kind", "alarm")], "{\"n\": 1}")
}

/// What `map` of a script makes of `body`.
fn map_of(script: &Script, body: &Value) -> Result<Made, Unreadable> {
    let delivery = posted();
    script.map(Posted { delivery: &delivery, payload: Some(body) })
}

/// What a function body makes, as the list of events that it returns.
fn made(body: &str) -> Result<Value, Unreadable> {
    let script = load(&format!("export function map(req) {{\n{body}\n}}")).unwrap();
    match map_of(&script, &json!({"n": 1, "s": "ü"}))? {
        Made::Events(events) => Ok(events),
        Made::Nothing(reason) => Ok(Value::from(reason)),
    }
}

/// The first thing in the list that an expression gives.
fn value(expression: &str) -> Value {
    made(&format!("return [{expression}];")).unwrap()[0].clone()
}

/// Why a function body fails.
fn failure(body: &str) -> String {
    made(body).unwrap_err().reason
}

#[test]
fn a_script_reads_the_delivery_and_nothing_else() {
    let seen = value("req");
    let expected = json!({
        "method": "POST", "headers": {"x-kind": "alarm"}, "query": {}, "config": {},
        "body": {"n": 1, "s": "ü"}, "raw": "{\"n\": 1}", "rawEncoding": "text",
        "now": "1970-01-01T00:00:00.000Z",
    });
    assert_eq!(seen, expected);
    let binary = Delivery { body: vec![0xff, 0], ..posted() };
    let script =
        load("export const map = (req) => [[req.raw, req.rawEncoding, req.body]];").unwrap();
    let seen = script.map(Posted { delivery: &binary, payload: None });
    assert_eq!(seen, Ok(Made::Events(json!([["/wA=", "base64", null]]))));
}

#[test]
fn map_gives_events_or_a_reason_for_none() {
    assert_eq!(made("return [{event_key: req.body.n}];"), Ok(json!([{"event_key": 1}])));
    assert_eq!(made("return [];"), Ok(json!([])));
    assert_eq!(made("return {ignore: 'a test'};"), Ok(json!("a test")));
    for (body, found) in [
        ("return;", "nothing"),
        ("return null;", "nothing"),
        ("return 1;", "a number"),
        ("return {event_key: 1};", "an object"),
        ("return 'x';", "a text"),
        ("return () => 1;", "nothing"),
        ("return Symbol('x');", "nothing"),
    ] {
        let expected = format!(
            "plugins/x/main.js: `map` returned {found}; expected a list of events, or `{{ignore: \"why\"}}`"
        );
        assert_eq!(failure(body), expected);
    }
}

#[test]
fn what_is_wrong_with_a_script_is_told_when_it_is_loaded() {
    for (text, expected) in [
        ("export function map(req) {\n  return [;\n}", "plugins/x/main.js:2:11: SyntaxError: "),
        ("import fs from 'fs';\nexport function map() {}", "could not load module"),
        ("const a = 1;", "plugins/x/main.js: exports no function; expected `handshake(req)`"),
        ("export function map() {}\nexport function mpa() {}", "main.js:2:1: nobody calls `mpa`"),
        ("export const map = 1;", "exports `map`, which is no function"),
        ("const a = 1;\nnope();\nexport function map() {}", "main.js:2:1: ReferenceError: "),
        ("while (true) {}\nexport function map() {}", "stopped after 50 ms of computing"),
        ("await new Promise(() => 1);\nexport function map() {}", "its top level waits"),
        ("throw new Error('no');\nexport function map() {}", "main.js:1:"),
        ("export function map() { return [", "SyntaxError"),
        ("", "exports no function"),
    ] {
        let found = load(text).unwrap_err();
        assert!(found.contains(expected), "{text}: {found}");
    }
    assert!(Script::load("a", b"\xff").unwrap_err().to_string().contains("no UTF-8 from byte 0"));
    assert_eq!(load("\n\nexport function map() {}").unwrap().map_line(), 3);
    assert_eq!(load("function map() {}\nexport { map };").unwrap().map_line(), 2);
}

#[test]
fn an_exception_is_told_with_its_place() {
    let failed = made("const a = null;\nreturn a.b;").unwrap_err();
    assert_eq!((failed.cause, failed.line), (Cause::BadScript, Some(3)));
    assert_eq!(failed.file.as_deref(), Some("plugins/x/main.js"));
    assert!(failed.reason.starts_with("plugins/x/main.js:3:"), "{}", failed.reason);
    assert!(failed.reason.contains("TypeError: "), "{}", failed.reason);
    assert!(failure("throw 'plain words';").ends_with("threw plain words"));
    assert!(failure("throw {};").ends_with("threw no error"));
    assert!(failure("throw null;").contains("main.js: "));
    assert!(failure("throw new Error('x'.repeat(100000));").len() < 500);
    assert!(failure("throw {get message() { while (true) {} }};").ends_with("no error"));
    let trap = "const e = new Error(); Object.defineProperty(e, 'message', {get() { while (true) {} }}); throw e;";
    assert!(failure(trap).starts_with("plugins/x/main.js"));
}

/// Function bodies that try to take too much, and what of their reason must be said.
const GREEDY: &[(&str, &str)] = &[
    ("while (true) {}", "stopped after 50 ms"),
    ("try { while (true) {} } catch { return []; } finally { return []; }", "stopped after 50 ms"),
    ("const all = []; while (true) all.push('x'.repeat(1000) + all.length);", "stopped"),
    ("let s = 'x'; while (true) s += s;", "string too long"),
    ("let s = 'x'; try { while (true) s += s; } catch { while (true) {} }", "stopped after 50 ms"),
    ("let s = 'x'; while (s.length < 1e8) s += s; return [s.slice(1)];", "more than 16 MB"),
    ("return [new Array(1e9).fill(1)];", "stopped when it needed more than 16 MB"),
    ("return ['x'.repeat(1e9)];", "more than 16 MB"),
    ("return [/^(a+)+$/.test('a'.repeat(40) + 'b')];", "stopped after 50 ms"),
    ("const f = () => f() + 1; return [f()];", "stack"),
    ("let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a;", "plugins/x/main.js"),
    ("return [JSON.parse('['.repeat(1e5))];", "plugins/x/main.js"),
    ("const a = []; a.push(a); return a;", "circular"),
    ("return Array(10001).fill({});", "more than 10000 events"),
    ("return ['x'.repeat(5e6)];", "more than 4 MB of JSON"),
    ("return [{get event_key() { while (true) {} }}];", "stopped after 50 ms"),
    ("return [{toJSON() { throw new Error('no') }}];", "Error: no"),
    ("return [1n];", "BigInt"),
    ("let b = 3n; while (true) b *= b;", "plugins/x/main.js"),
    ("const a = []; a.length = 4294967295; return [a.indexOf(1)];", "stopped after 50 ms"),
    ("return [[].includes.call({length: 2 ** 53 - 1}, 1)];", "stopped after 50 ms"),
];

#[test]
fn what_takes_too_much_is_stopped_and_the_next_call_is_clean() {
    let watch = Stopwatch::start();
    for (body, expected) in GREEDY {
        let found = failure(body);
        assert!(found.contains(expected), "{body}: {found}");
        assert_eq!(made("return [{event_key: 'next'}];"), Ok(json!([{"event_key": "next"}])));
    }
    assert!(watch.elapsed().as_secs() < 60, "{:?}", watch.elapsed());
}

#[test]
fn what_cannot_be_stopped_is_left_behind() {
    // One operation of the language, in which nothing asks for the time.
    let found = failure("const a = 'a'.repeat(3e6); return [a.indexOf('a'.repeat(1.5e6) + 'b')];");
    assert!(found.contains("given up after 2 s: it could not be stopped"), "{found}");
    assert_eq!(value("1"), json!(1));
}

#[test]
fn no_code_is_made_of_text() {
    for attempt in [
        "eval('1')",
        "(0, eval)('1')",
        "globalThis.eval('1')",
        "Function('return 1')()",
        "new Function('return 1')()",
        "(() => 1).constructor('return 1')()",
        "(function* () {}).constructor('yield 1')",
        "(async () => 1).constructor('return 1')",
        "(async function* () {}).constructor('yield 1')",
        "[].map.constructor('return 1')()",
        "Object.getPrototypeOf(function* () {}).constructor('yield 1')",
        "Reflect.construct(Function, ['return 1'])",
        "new (class extends Function {})('return 1')",
        "Object.getPrototypeOf(Object.getPrototypeOf(async () => 1)).constructor('return 1')",
    ] {
        let found = failure(&format!("return [({attempt})];"));
        assert!(found.contains("code that arrives as text is not run"), "{attempt}: {found}");
    }
    assert_eq!(value("(() => 1) instanceof Function"), json!(true));
    assert!(failure("globalThis.eval = 1;").contains("TypeError"));
}

#[test]
fn nothing_is_there_that_differs_from_call_to_call() {
    for (attempt, expected) in [
        ("Date.now()", "there is no clock"),
        ("new Date()", "there is no clock"),
        ("Date()", "there is no clock"),
        ("Math.random()", "there is no randomness"),
        ("new WeakRef({})", "not defined"),
        ("new FinalizationRegistry(() => 1)", "not defined"),
        ("performance.now()", "not defined"),
        ("new Proxy({}, {})", "not defined"),
        ("setTimeout(() => 1)", "not defined"),
        ("fetch('http://example.com')", "not defined"),
        ("require('fs')", "not defined"),
        ("process.env", "not defined"),
        ("console.log(1)", "not defined"),
        ("std.exit(1)", "not defined"),
        ("Atomics", "not defined"),
        ("new Worker('x')", "not defined"),
        ("new SharedArrayBuffer(1)", "not defined"),
    ] {
        let found = failure(&format!("return [{attempt}];"));
        assert!(found.contains(expected), "{attempt}: {found}");
    }
    let globals = value("Object.getOwnPropertyNames(globalThis).sort().join(' ')");
    insta::assert_snapshot!(globals.as_str().unwrap(), @"AggregateError Array AsyncDisposableStack BigInt Boolean Date DisposableStack Error EvalError Function Infinity InternalError Iterator JSON Map Math NaN Number Object Promise RangeError ReferenceError Reflect RegExp Set String SuppressedError Symbol SyntaxError TypeError URIError WeakMap WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN mill parseFloat parseInt queueMicrotask undefined unescape");
}

#[test]
fn nothing_is_left_from_one_call_to_the_next() {
    let script = load(
        "let calls = 0;\n\
         export function map(req) {\n\
           const seen = [++calls, globalThis.kept ?? null, [].first ?? null, ({}).toJSON ?? null];\n\
           globalThis.kept = 'kept';\n\
           Array.prototype.first = 'tampered';\n\
           Object.prototype.toJSON = undefined;\n\
           JSON.stringify = () => 'tampered';\n\
           Promise.resolve().then(() => { globalThis.later = 1; });\n\
           return [seen];\n\
         }",
    )
    .unwrap();
    for _ in 0..3 {
        let seen = map_of(&script, &json!({}));
        assert_eq!(seen, Ok(Made::Events(json!([[1, null, null, null]]))));
    }
    assert!(failure("mill.hmac = 1;").contains("TypeError"));
    assert!(failure("mill.base64.decode = 1;").contains("TypeError"));
    assert!(failure("mill = 1;").contains("TypeError"));
}

#[test]
fn nothing_comes_later() {
    let asynchronous = load("export async function map() { return []; }").unwrap();
    let found = map_of(&asynchronous, &json!({})).unwrap_err().reason;
    assert!(found.ends_with("it returned a promise: its functions cannot be `async`"), "{found}");
    let pending = "new Promise(() => 1); (async () => { await 1; while (true) {} })(); return [1];";
    assert_eq!(made(pending), Ok(json!([1])));
    assert_eq!(made("import('fs').catch(() => 1); return [2];"), Ok(json!([2])));
    assert_eq!(made("return [3];"), Ok(json!([3])));
}

#[test]
fn what_is_no_json_is_left_out_as_json_does() {
    let odd = "[{a: undefined, b: NaN, c: Infinity, d: Symbol('x'), e: () => 1, f: -0, \
               g: {get h() { return 'got'; }}, i: [undefined], j: {toJSON: () => 'own'}}]";
    let expected = json!([{
        "b": null, "c": null, "f": 0, "g": {"h": "got"}, "i": [null], "j": "own",
    }]);
    assert_eq!(value(odd), expected);
    let polluted = value("JSON.parse('{\"__proto__\": {\"x\": 1}, \"y\": {}}')");
    assert_eq!(polluted, json!({"__proto__": {"x": 1}, "y": {}}));
    // Half of a character is left where a text is cut in the middle of one.
    assert_eq!(value("'a🔥b'.slice(0, 2)"), json!("a\u{fffd}"));
    assert_eq!(value("'🔥\\\\ud83d\\\\' + '\\ud83d'"), json!("🔥\\ud83d\\\u{fffd}"));
}

#[test]
fn the_host_reads_signatures_texts_and_times() {
    for (expression, expected) in [
        (
            "mill.hmac('sha256', 'Jefe', 'what do ya want for nothing?')",
            json!("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ),
        ("mill.hmac('sha1', 'k', 'm', 'base64').length", json!(28)),
        ("mill.sha256('abc').slice(0, 8)", json!("ba7816bf")),
        (
            "[mill.same('a', 'a'), mill.same('a', 'b'), mill.same('a', 'aa')]",
            json!([true, false, false]),
        ),
        ("mill.base64.decode(mill.base64.encode('grün'))", json!("grün")),
        ("[mill.base64.decode('?'), mill.base64.decode('/w==')]", json!([null, null])),
        (
            "mill.regex.match('host=db1 x', '(?<key>\\\\w+)=(\\\\w+)(z)?')",
            json!({"match": "host=db1", "groups": ["host", "db1", null], "named": {"key": "host"}}),
        ),
        ("mill.regex.match('a', 'b')", json!(null)),
        ("mill.regex.all('a1b2', '[0-9]').map((found) => found.match)", json!(["1", "2"])),
        ("mill.regex.replace('a-b', '(a)-(b)', '$2-$1')", json!("b-a")),
        ("mill.xml('<a><b>1</b></a>', ['b'])", json!({"a": {"b": ["1"]}})),
        ("mill.csv('k,v\\na,1\\nb')", json!([{"k": "a", "v": "1"}, {"k": "b"}])),
        ("mill.csv('a;b', {separator: ';', header: false})", json!([["a", "b"]])),
        ("mill.keyValues('a: 1\\nb : x: y\\na: 2')", json!({"a": "1", "b": "x: y"})),
        ("mill.keyValues('a=1', '=')", json!({"a": "1"})),
        ("mill.time.parse('2026-01-02 03:04:05', 'Asia/Seoul')", json!("2026-01-01T18:04:05.000Z")),
        ("mill.time.parse(1700000000)", json!("2023-11-14T22:13:20.000Z")),
        (
            "[mill.time.parse('soon'), mill.time.parse(null), mill.time.parse({})]",
            json!([null, null, null]),
        ),
        ("mill.time.millis('2023-11-14T22:13:20Z')", json!(1_700_000_000_000_u64)),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn the_host_refuses_what_it_does_not_know_or_is_too_much() {
    for (expression, expected) in [
        ("mill.hmac('md5', 'k', 'm')", "RangeError: nobody knows the algorithm `md5`"),
        ("mill.sha256('x', 'octal')", "nobody knows the encoding `octal`"),
        ("mill.sha256(1)", "into type 'string'"),
        ("mill.regex.match('x', '(')", "SyntaxError: `(` is no pattern: error: unclosed group"),
        (
            "mill.regex.match('x', 'a{1000}{1000}')",
            "is no pattern: Compiled regex exceeds size limit",
        ),
        ("mill.regex.all('x'.repeat(20000), 'x')", "more than 10000 came out"),
        (
            "mill.regex.all('x'.repeat(1e5), '('.repeat(25) + '.*' + ')'.repeat(25))",
            "more than 10000 came out",
        ),
        ("mill.regex.replace('x'.repeat(1e5), '', 'y'.repeat(1e5))", "texts of 1 MB at most"),
        ("mill.regex.replace('x'.repeat(1e5), '.*', '$0'.repeat(1e5))", "texts of 1 MB at most"),
        ("mill.base64.encode('x'.repeat(2e6))", "texts of 1 MB at most"),
        ("mill.csv('a\\n'.repeat(20000))", "more than 10000 came out"),
        ("mill.csv('a', {separator: 'ab'})", "`separator` is a single character"),
        ("mill.xml('<a>')", "SyntaxError: the body is no XML: it ends inside an element"),
        ("mill.keyValues('a', '')", "the separator is empty"),
        ("mill.time.parse('2026-01-01', 'Mars')", "`Mars` is no time zone"),
    ] {
        let found = failure(&format!("return [{expression}];"));
        assert!(found.contains(expected), "{expression}: {found}");
    }
    assert_eq!(value("mill.regex.match('a'.repeat(100000) + 'b', '^(a+)+$')"), json!(null));
}
