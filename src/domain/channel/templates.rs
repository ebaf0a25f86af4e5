//! Whether what people write for messages can be filled in.

use super::{Templates, settings::wrong};
use crate::{error::Result, value::template::Template};

impl Templates {
    /// The same without those that are empty, if all of them are well-formed.
    ///
    /// # Errors
    /// At the first that is not, which stands below `pointer`, with its line.
    pub fn checked(self, pointer: &str) -> Result<Self> {
        let check = |name: &str, text: Option<String>| -> Result<Option<String>> {
            let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
            Template::parse(&text)
                .map_err(|fault| wrong(format!("{pointer}/{name}"), fault.to_string()))?;
            Ok(Some(text))
        };
        Ok(Self { title: check("title", self.title)?, body: check("body", self.body)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_well_formed_or_a_mistake_with_its_place() {
        let templates = |title: &str, body: &str| Templates {
            title: Some(title.to_owned()),
            body: Some(body.to_owned()),
        };
        let kept = templates("{{ title }}", " ").checked("/templates").unwrap();
        assert_eq!((kept.title.as_deref(), kept.body), (Some("{{ title }}"), None));
        let error = templates("a", "b\n{{ c").checked("/templates").unwrap_err();
        assert_eq!(error.mistakes[0].pointer, "/templates/body");
        assert!(error.detail.starts_with("line 2"), "{error}");
    }
}
