//! What a channel's messages say, where it is not what they usually say.

use serde_json::{Map, Value, json};

use super::settings::wrong;
use crate::{
    error::{Code, Error, Result},
    value::template::Template,
};

/// Templates of a channel; what has none says what is usual.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Templates {
    /// What a person reads first.
    pub title: Option<Template>,
    /// What a person reads next; of a webhook with a templated body, all of that body.
    pub body: Option<Template>,
}

impl Templates {
    /// What a request says at `pointer`, over what was `before`: what it leaves out stays, what is null or empty goes.
    ///
    /// # Errors
    /// At the first template that is wrong, with its line.
    pub fn parse(given: &Map<String, Value>, before: &Self, pointer: &str) -> Result<Self> {
        if let Some(name) = given.keys().find(|name| !matches!(name.as_str(), "title" | "body")) {
            let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            return Err(wrong(place, "there are templates of `title` and `body`"));
        }
        let one = |name: &str, before: &Option<Template>| match given.get(name) {
            None => Ok(before.clone()),
            Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) => Template::parse(text)
                .map(Some)
                .map_err(|fault| wrong(format!("{pointer}/{name}"), fault.to_string())),
            Some(_) => {
                let place = format!("{pointer}/{name}");
                Err(Error::at(Code::InvalidParameterType, place, "a text is expected here"))
            }
        };
        Ok(Self { title: one("title", &before.title)?, body: one("body", &before.body)? })
    }

    /// All of it, for the store and for people: templates hold no secrets.
    pub fn stored(&self) -> Value {
        let text = |template: &Option<Template>| template.as_ref().map(|it| it.as_str().to_owned());
        json!({ "title": text(&self.title), "body": text(&self.body) })
    }

    /// What [`stored`](Self::stored) wrote.
    ///
    /// # Errors
    /// Where that is not what stands there.
    pub fn restore(stored: &Value) -> Result<Self> {
        match stored {
            Value::Null => Ok(Self::default()),
            Value::Object(given) => Self::parse(given, &Self::default(), "/template"),
            _ => Err(Error::internal("the templates of a channel cannot be read back")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(given: &Value, before: &Templates) -> Result<Templates> {
        Templates::parse(given.as_object().unwrap(), before, "/template")
    }

    #[test]
    fn templates_are_kept_changed_and_taken_away() {
        let none = Templates::default();
        let both = parsed(&json!({ "title": "{{ title }}", "body": "b" }), &none).unwrap();
        assert_eq!(Templates::restore(&both.stored()).unwrap(), both);
        assert_eq!(Templates::restore(&none.stored()).unwrap(), none);
        let one = parsed(&json!({ "title": null }), &both).unwrap();
        assert_eq!(one.stored(), json!({ "title": null, "body": "b" }));
    }

    #[test]
    fn mistakes_have_their_place() {
        for (given, place) in [
            (json!({ "body": "a\n{{ b" }), "/template/body"),
            (json!({ "title": 7 }), "/template/title"),
            (json!({ "subject": "a" }), "/template/subject"),
        ] {
            let error = parsed(&given, &Templates::default()).unwrap_err();
            assert_eq!(error.mistakes[0].pointer, place, "{error}");
        }
    }
}
