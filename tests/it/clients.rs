//! Other systems' own clients, as their users install them, against our server.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

use crate::client::Server;

/// The Python that has the clients; `None`, said aloud, where they cannot be installed here.
pub fn python() -> Option<PathBuf> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(make).clone()
}

#[expect(clippy::print_stderr, reason = "a test that is skipped must say so")]
fn make() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients.sh");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    // Each test may be a process of its own: one makes it, the others wait for that.
    let lock = std::fs::File::create(directory.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let made = Command::new("sh").arg(script).arg(&directory).output().unwrap();
    if !made.status.success() {
        let why = String::from_utf8_lossy(&made.stderr).trim().to_owned();
        // The gate sets this where it could install them itself: what is swallowed with a test's output cannot pass there.
        let is_required = std::env::var_os("ALERTMILL_CLIENTS").is_some_and(|it| it == "required");
        assert!(!is_required, "the clients are required: {why}");
        eprintln!("SKIPPED: {why}");
        return None;
    }
    Some(PathBuf::from(String::from_utf8(made.stdout).unwrap().trim()))
}

/// Runs a script of `tests/clients` against a server; what it printed. It must succeed.
pub fn run(python: &Path, script: &str, server: &Server, arguments: &[&str]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let url = format!("http://{}", server.address());
    let output: Output = Command::new(python)
        .arg(path)
        .arg(url)
        .args(arguments)
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .output()
        .unwrap();
    let (told, wrong) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}:\n{told}\n{wrong}");
    told.into_owned()
}

#[test]
fn the_clients_can_be_installed_or_it_is_said_why_not() {
    let Some(python) = python() else { return };
    let server = Server::start(&[]);
    let told = run(&python, "there.py", &server, &[]);
    assert_eq!(told.trim(), "igz_mgmt h2o_audit_trail pycadf");
}
