//! The pages of the documentation that are made from the code.

use std::fmt::Write as _;

use clap::Command;

use crate::{error::Code, http, plugins, rules};

/// `docs/openapi.json`.
pub(super) fn openapi() -> String {
    let document = http::document();
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// `rules/schema.json`.
pub(in crate::cli) fn rules_schema() -> String {
    serde_json::to_string_pretty(&rules::schema::schema()).unwrap_or_default()
}

/// `plugins/schema.json`.
pub(in crate::cli) fn plugins_schema() -> String {
    serde_json::to_string_pretty(&plugins::schema()).unwrap_or_default()
}

/// `docs/errors.md`.
pub(super) fn errors() -> String {
    let mut page = "# Errors\n\nEvery error that a caller can receive. The code never changes; the words beside it may.\n\n\
        | Code | Status | Meaning |\n|---|---|---|\n"
        .to_owned();
    for code in Code::ALL {
        let _ = writeln!(page, "| `{}` | {} | {} |", code.name(), code.status(), code.meaning());
    }
    page
}

/// `docs/config.md`, from the flags of `alertmill serve`.
pub(super) fn config(root: &mut Command) -> String {
    let mut page = "# Settings\n\nEverything that `alertmill serve` can be told. Each setting is a flag and an environment \
        variable; the flag wins.\n\n| Flag | Environment | Default | Meaning |\n|---|---|---|---|\n"
        .to_owned();
    let Some(serve) = root.find_subcommand_mut("serve") else { return page };
    for arg in serve.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let (Some(flag), Some(env)) = (arg.get_long(), arg.get_env()) else { continue };
        let values = arg.get_value_names().unwrap_or_default();
        let takes = arg.get_action().takes_values();
        let value = values.first().filter(|_| takes).map(|name| format!(" {name}"));
        let default: Vec<_> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default =
            if default.is_empty() { String::new() } else { format!("`{}`", default.join(",")) };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(
            page,
            "| `--{flag}{}` | `{}` | {default} | {} |",
            value.unwrap_or_default(),
            env.to_string_lossy(),
            help.replace('|', "\\|")
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::CommandFactory;

    use super::*;

    fn check(file: &str, command: &str, page: &str) {
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept.trim_end() == page.trim_end(),
            "{file} is not what the code says; `cargo run -- {command} > {file}` mends it"
        );
    }

    #[test]
    fn the_pages_made_from_the_code_are_up_to_date() {
        check("docs/errors.md", "errors", &errors());
        check("docs/config.md", "config-doc", &config(&mut super::super::Cli::command()));
        check("docs/openapi.json", "openapi", &openapi());
        check("rules/schema.json", "rules-schema", &rules_schema());
        check("plugins/schema.json", "plugins-schema", &plugins_schema());
    }
}
