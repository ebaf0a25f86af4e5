//! What the commands say: the real program, with a server of its own where it needs one.

use std::{fs, path::Path, process::Command};

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertmill"));
    for name in ["RULES", "PLUGINS", "DATA", "URL", "TOKEN"] {
        command.env_remove(format!("ALERTMILL_{name}"));
    }
    let output = command.current_dir(room).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    Said { code, out: text(output.stdout), err: text(output.stderr) }
}

const MAPPING: &str =
    "title: Mine\nevents:\n  - name: a\n    set:\n      event_key: $.id\n      title: $.title\n";

/// A room with files in it, by their paths.
fn room(files: &[(&str, &str)]) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    files.iter().for_each(|(path, text)| write(room.path(), path, text));
    room
}

fn write(room: &Path, path: &str, text: &str) {
    let path = room.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
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
