//! The mapping of a provider whose bodies a script reads: it takes over what the script made, field by field, so that the
//! same checks hold for it and the same is told of it as for any other.

use std::sync::Arc;

use super::{
    compile::compile,
    fields::Fields,
    mapping::{Makes, Mapping},
};
use crate::{
    digest::{hex, sha256},
    domain::event::MappingVersion,
    load_error::LoadError,
};

/// What reads the events that a script returns: their fields have the names that events have here.
const TAKES_OVER: &str = r#"
title: Script
events:
  - name: map
    each: $[*]
    set:
      event_key: "@.event_key"
      event_type: "@.event_type"
      severity: "@.severity"
      title: "@.title"
      description: "@.description"
      rule: "@.rule"
      image_url: "@.image_url"
      resources: "@.resources"
      provider: "@.provider"
      account: "@.account"
      additional_info: "@.additional_info"
      occurred_at: "@.occurred_at"
"#;

impl Mapping {
    /// What reads what the `map` of a script returns, for a provider with this title; the script stands in a file, `map` on
    /// that line of it.
    ///
    /// # Errors
    /// Never, unless the mapping language changes.
    pub fn scripted(
        provider: &str,
        (title, file, map_line): (&str, &str, u32),
        script: &str,
    ) -> Result<Self, Vec<LoadError>> {
        let mut mapping = compile(provider, file, TAKES_OVER)?;
        for variant in &mut mapping.variants {
            variant.line = map_line;
            if let Makes::Events(items) = &mut variant.makes {
                for name in Fields::NAMES {
                    if let Some(field) = items.fields.slot(name).and_then(Option::as_mut) {
                        field.line = map_line;
                    }
                }
            }
        }
        let version = hex(&sha256(script.as_bytes())[..8]);
        Ok(Self {
            version: Arc::new(MappingVersion { provider: provider.to_owned(), version }),
            title: title.to_owned(),
            text: script.to_owned(),
            is_scripted: true,
            ..mapping
        })
    }

    /// Whether it reads what a script made of the body, in place of the body.
    pub fn is_scripted(&self) -> bool {
        self.is_scripted
    }
}

/// Whether a text that was kept is a script and no rule file.
pub(super) fn is_script(text: &str) -> bool {
    let begins = |word: &str| text.lines().any(|line| line.starts_with(word));
    begins("export ") && !begins("events:") && !begins("extends:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Rulebook;

    const SCRIPT: &str = "// What it does.\nexport function map(req) { return []; }\n";

    #[test]
    fn the_text_of_a_script_is_known_again() {
        let mapping = Mapping::scripted("mine", ("Mine", "plugins/mine/main.js", 2), SCRIPT);
        let mapping = mapping.unwrap();
        let restored = Rulebook::restore("mine", mapping.text()).unwrap();
        assert!(restored.is_scripted());
        assert_eq!(restored.version(), mapping.version());
        assert_eq!(restored.file(), mapping.file());
        let book = Rulebook::embedded().unwrap();
        for provider in book.providers() {
            assert!(!is_script(book.get(provider).unwrap().text()), "{provider}");
        }
    }
}
