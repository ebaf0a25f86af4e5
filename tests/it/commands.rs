//! What the commands say: the real program, with a server of its own where it needs one.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::client::Server;

/// What a command answered.
struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Runs the program, with nothing of this machine's settings.
fn run(room: &Path, args: &[&str]) -> Said {
    run_over(room, args, Stdio::null())
}

/// The same with this as its input.
fn run_over(room: &Path, args: &[&str], input: Stdio) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    for name in ["RULES", "PLUGINS", "DATA", "URL", "TOKEN"] {
        command.env_remove(format!("ALERTMILL_{name}"));
    }
    let output = command.current_dir(room).args(args).stdin(input).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    Said { code, out: text(output.stdout), err: text(output.stderr) }
}

const MAPPING: &str =
    "title: Mine\nevents:\n  - name: a\n    set:\n      event_key: $.id\n      title: $.title\n";

/// A room with files in it, by their paths.
fn room(files: &[(&str, &str)]) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(room.path(), path, text);
    }
    room
}

fn write(room: &Path, path: &str, text: &str) {
    let path = room.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_wrong_password_is_no_missing_token() {
    let room = room(&[("typed", "wrong horse battery\n")]);
    let server = Server::start(&[]);
    let data = server.data().display().to_string();
    let typed = File::open(room.path().join("typed")).unwrap();
    let said = run_over(room.path(), &["login", "--data", &data, "--name", "ada"], typed.into());
    assert!(said.err.contains("the name or the password is wrong"), "{}", said.err);
    assert!(!said.err.contains("--token"), "{}", said.err);
    let said = run(
        room.path(),
        &["logout", "--url", &format!("http://{}", server.address()), "--token", "ams_wrong"],
    );
    assert!(said.err.contains("--token"), "{}", said.err);
}

#[test]
fn a_new_webhook_comes_with_the_setup_of_a_plugin_that_only_the_server_knows() {
    let setup = "title: Mine\nsetup: |\n  target = {keyless_url}\n  secret = {key}\n";
    let room = room(&[("rules/mine/mapping.yaml", MAPPING), ("plugins/mine/plugin.yaml", setup)]);
    let at = |name: &str| room.path().join(name).display().to_string();
    let server = Server::start(&["--rules", &at("rules"), "--plugins", &at("plugins")]);
    let data = server.data().display().to_string();
    let create = |provider: &str| {
        let args = ["webhook", "create", "--data", &data, "--name", provider, "--provider"];
        run(room.path(), &[&args, [provider].as_slice()].concat())
    };
    let made = create("mine");
    assert_eq!(made.code, 0, "{}", made.err);
    let line = |start: &str| {
        let line = made.out.lines().find_map(|line| line.trim().strip_prefix(start));
        line.unwrap_or_else(|| panic!("no {start}: {}", made.out)).trim().to_owned()
    };
    let (key, url) = (line("access key"), line("URL"));
    assert_eq!(line("secret ="), key);
    assert_eq!(line("target ="), url.replace(&format!("/{key}"), ""));
    assert!(!server.log().contains(&key), "the key is logged");

    let near = create("mien");
    assert_eq!(near.code, 1);
    let told = "there is no plugin `mien`; did you mean `mine`? There are ";
    assert!(near.err.contains(told), "{}", near.err);
}

#[test]
fn a_reload_tells_what_is_live_or_every_mistake() {
    let room = room(&[
        ("rules/mine/mapping.yaml", MAPPING),
        ("plugins/mine/plugin.yaml", "title: Mine\n"),
    ]);
    let at = |name: &str| room.path().join(name).display().to_string();
    let server = Server::start(&["--rules", &at("rules"), "--plugins", &at("plugins")]);
    let data = server.data().display().to_string();
    let reload = || run(room.path(), &["rules", "reload", "--data", &data]);
    let same = reload();
    assert_eq!(same.code, 0, "{}", same.err);
    assert!(same.out.starts_with("No file has changed. Version "), "{}", same.out);
    assert!(same.out.contains(" mappings and ") && same.out.contains(" plugins."), "{}", same.out);

    write(room.path(), "rules/mine/mapping.yaml", &MAPPING.replace("title: $", "titel: $"));
    let refused = reload();
    assert_eq!(refused.code, 1, "{}", refused.out);
    let told = "mine/mapping.yaml:6:7: events have no field `titel`";
    assert!(refused.err.contains("422 (ERROR_RULES_REFUSED)"), "{}", refused.err);
    assert!(refused.err.contains(told) && refused.err.contains("\n  6 | "), "{}", refused.err);
}

#[test]
fn a_mapping_that_no_plugin_reads_by_is_noted_and_is_no_warning() {
    let room =
        room(&[("rules/mine/mapping.yaml", MAPPING), ("plugins/other/plugin.yaml", "title: X\n")]);
    let check = |plugins: &[&str]| {
        let args = ["rules", "check", "rules/mine", "--deny-warnings"];
        run(room.path(), &[&args, plugins].concat())
    };
    let noted = check(&[]);
    assert_eq!(noted.code, 0, "{}", noted.err);
    let told = "mine/mapping.yaml: note: no plugin reads by it, so no webhook can be made for it; expected \
                `mine/plugin.yaml` in the directory of `--plugins`\n";
    assert!(noted.out.starts_with(told), "{}", noted.out);
    write(room.path(), "plugins/other/plugin.yaml", "title: X\nmapping: mine\n");
    let read = check(&["--plugins", "plugins"]);
    assert_eq!(read.out, "1 mapping, nothing wrong.\n", "{}", read.err);
}

const WORDS: &str = "title: Mine\nevents:\n  - name: a\n    each: $.items[*]\n    when: { $.items: { exists: true } }\n    \
     set:\n      event_key: '@.id'\n      severity:\n        from: '@.level'\n        map: { high: ERROR }\n        else: INFO\n";

#[test]
fn an_explanation_names_the_word_that_a_map_does_not_know_and_fits_120_columns() {
    let room = room(&[("rules/mine/mapping.yaml", WORDS)]);
    let long = "words ".repeat(30);
    let body = serde_json::json!({ "items": [{ "id": long, "level": "Moderate" }] });
    write(room.path(), "post.json", &body.to_string());
    let args = ["rules", "explain", "--rules", "rules", "--provider", "mine", "post.json"];
    let told = run(room.path(), &args);
    assert_eq!(told.code, 0, "{}", told.err);
    let line = told.out.lines().find(|line| line.starts_with("severity")).unwrap();
    assert!(line.contains("$.items[0].level (default)"), "{line}");
    assert!(line.contains("map does not know Moderate"), "{line}");
    assert!(told.out.lines().all(|line| line.chars().count() <= 120), "{}", told.out);
}

#[test]
fn an_explanation_of_what_cannot_be_read_fails() {
    let room = room(&[("rules/mine/mapping.yaml", WORDS)]);
    write(room.path(), "post.json", r#"{"items": [{"id": 1}, {"level": "high"}]}"#);
    let args = ["rules", "explain", "--rules", "rules", "--provider", "mine", "post.json"];
    let told = run(room.path(), &args);
    assert_eq!((told.code, told.err.as_str()), (1, "1 of 2 items cannot be read.\n"));
    assert!(told.out.contains("Item 1 cannot be read"), "{}", told.out);
    let other = run(room.path(), &["rules", "explain", "--provider", "mine", "post.json"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains("`--rules DIR` adds those of a directory"), "{}", other.err);
}

#[test]
fn a_draft_names_a_schema_that_is_there() {
    let room = room(&[("post.json", r#"{"id": "a-1", "status": "firing", "severity": "high"}"#)]);
    let drafted = run(room.path(), &["rules", "new", "--provider", "mine", "--from", "post.json"]);
    assert_eq!(drafted.code, 0, "{}", drafted.err);
    for kind in ["rules/mine/mapping.yaml", "plugins/mine/plugin.yaml"] {
        let path = room.path().join(kind);
        let text = fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().unwrap().rsplit('=').next().unwrap();
        assert!(path.parent().unwrap().join(schema).is_file(), "{kind}: {schema}");
    }
    assert!(drafted.out.contains("`post`: 1 event, 0 of them recoveries"), "{}", drafted.out);
}

#[test]
fn samples_of_one_problem_that_have_two_keys_fail_the_test() {
    let room = room(&[
        ("rules/mine/mapping.yaml", MAPPING),
        ("rules/mine/samples/firing.json", r#"{"id": "a"}"#),
        ("rules/mine/samples/resolved.json", r#"{"id": "b"}"#),
    ]);
    let test = |flag: &str| run(room.path(), &["rules", "test", "rules/mine", flag]);
    let updated = test("--update");
    assert!(updated.out.contains("No problems.yaml"), "{}", updated.out);
    write(room.path(), "rules/mine/samples/problems.yaml", "- [firing, resolved]\n");
    let parted = test("--update");
    assert_eq!(parted.code, 1);
    assert!(parted.out.contains("1 problem of problems.yaml, 1 not"), "{}", parted.out);
    let told = "mine/samples/problems.yaml: line 1, [firing, resolved]: `resolved` has the key `b`, and `firing` has `a`";
    assert!(parted.err.contains(told), "{}", parted.err);
}

#[test]
fn a_draft_says_aloud_what_it_passes_over_and_that_a_server_reads_it() {
    let part = |name: &str| serde_json::json!({ "part": name, "torque": 3, "ok": false });
    let body =
        serde_json::json!({ "id": "a-1", "status": "firing", "parts": [part("a"), part("b")] });
    let room = room(&[("post.json", &body.to_string()), ("live/rules/README.md", "Ours.\n")]);
    let rules = room.path().join("live/rules").display().to_string();
    let server = Server::start(&["--rules", &rules]);
    let data = server.data().display().to_string();
    let draft = |out: &str, more: &[&str]| {
        let args = ["rules", "new", "--provider", "mine", "--data", &data, "--out", out];
        run(room.path(), &[&args, more, ["--from", "post.json"].as_slice()].concat())
    };
    let silent = draft("apart", &[]);
    assert_eq!(silent.code, 0, "{}", silent.err);
    assert!(silent.err.contains("draft again with `--each '$.parts[*]'`"), "{}", silent.err);
    assert!(!silent.err.contains("is live"), "{}", silent.err);
    let live = draft("live", &["--each", "$.parts[*]"]);
    let told =
        format!("warning: the server of `{data}` reads `live/rules`, so this draft is live; ");
    assert!(live.err.starts_with(&told), "{}", live.err);
    assert!(!live.err.contains("--each"), "{}", live.err);
    let wrong = draft("other", &["--each", "$.nothing[*]"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("no sample has a list at `$.nothing[*]`"), "{}", wrong.err);
}

#[test]
fn recoveries_that_part_from_their_problems_are_named_first_and_fail_the_comparison() {
    let way = "      event_type: { from: '$.way', map: { up: RECOVERY }, else: ALERT }\n";
    let edited = MAPPING.replace("$.id", "$.seq") + way;
    let room = room(&[
        ("old/mine/mapping.yaml", &format!("{MAPPING}{way}")),
        ("new/mine/mapping.yaml", &edited),
    ]);
    let line = |seq: u32, way: &str| {
        let body = serde_json::json!({ "id": "ep-7731", "seq": seq, "way": way, "title": "Warm" });
        format!("{}\n", serde_json::json!({ "provider": "mine", "body": body }))
    };
    write(room.path(), "posts.jsonl", &[line(48113, "down"), line(48127, "up")].concat());
    let args =
        ["rules", "diff", "--rules", "new", "--against", "old", "--deliveries", "posts.jsonl"];
    let asked = ["--fail-on", "recoveries-parted,alerts-lost"];
    let told = run(room.path(), &[args.as_slice(), &asked].concat());
    assert_eq!(
        (told.code, told.err.as_str()),
        (4, "Would happen, against `--fail-on`: recoveries-parted.\n")
    );
    let lines: Vec<&str> = told.out.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| *line == "mine: 2 of 2 items would change").unwrap();
    assert_eq!(
        lines[at + 1],
        "parted    recoveries that would not end their alert 1",
        "{}",
        told.out
    );
    let example = "e.g. parted: ep-7731 → 48127, its problem 48113 (line 2 #0)";
    assert!(lines.contains(&example), "{}", told.out);
}
