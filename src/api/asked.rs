//! What requests are made of: the query of a list, and texts that a person typed.

mod schema;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;

pub use self::schema::{Asked, AskedAnalysis, AskedStat};
use crate::{
    clock::Timestamp,
    domain::hidden::is_hidden,
    error::{Code, Error, Result},
    query::{Analysis, Catalogue, Query, Stat},
};

/// Something that may be asked in `query`.
pub(super) trait Question {
    /// What it is once it was checked.
    type Checked;

    /// It, checked against the fields of a resource, with times counted from `now`.
    fn checked(&self, catalogue: &'static Catalogue, now: Timestamp) -> Result<Self::Checked>;

    /// It, with one more condition.
    fn narrowed(
        checked: Self::Checked,
        name: &str,
        value: Value,
        catalogue: &'static Catalogue,
    ) -> Result<Self::Checked>;
}

macro_rules! question {
    ($asked:ident: $checked:ident) => {
        impl Question for $asked {
            type Checked = $checked;

            fn checked(&self, catalogue: &'static Catalogue, now: Timestamp) -> Result<$checked> {
                Ok($checked::parse(&self.0, catalogue, now)?)
            }

            fn narrowed(
                checked: $checked,
                name: &str,
                value: Value,
                catalogue: &'static Catalogue,
            ) -> Result<$checked> {
                Ok(checked.narrowed(name, value, catalogue)?)
            }
        }
    };
}

question!(Asked: Query);
question!(AskedStat: Stat);
question!(AskedAnalysis: Analysis);

/// Makes the requests for records of one kind: each with its query, and the parameters beside it that are short for
/// conditions.
macro_rules! list_request {
    (
        $($(#[doc = $title:literal])+ $name:ident: $asked:ident),+ of $catalogue:ident $body:tt
    ) => {
        $($crate::api::asked::list_request! { @one [$($title)+] $name $asked $catalogue, $body })+
    };
    (
        $(#[doc = $title:literal])+ $name:ident of $catalogue:ident $body:tt
    ) => {
        $crate::api::asked::list_request! { @one [$($title)+] $name Asked $catalogue, $body }
    };
    (
        @one [$($title:literal)+] $name:ident $asked:ident $catalogue:ident,
        { $($(#[doc = $doc:literal])+ $field:ident: $type:ty),* $(,)? }
    ) => {
        $(#[doc = $title])+
        #[derive(Clone, Debug, Default, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            /// Which records, and what is wanted of them.
            query: $crate::api::asked::$asked,
            $(
                $(#[doc = $doc])+
                #[serde(deserialize_with = "crate::api::asked::given")]
                $field: Option<$type>,
            )*
        }

        impl $name {
            /// The query that all of it makes, with times counted from `now`.
            pub(in crate::api) fn checked(
                self,
                now: $crate::clock::Timestamp,
            ) -> $crate::error::Result<
                <$crate::api::asked::$asked as $crate::api::asked::Question>::Checked,
            > {
                use $crate::api::asked::{Question as _, narrowed};
                let query = self.query.checked(&$catalogue, now)?;
                $(let query = narrowed::<$crate::api::asked::$asked>(
                    query,
                    stringify!($field),
                    self.$field,
                    &$catalogue,
                )?;)*
                Ok(query)
            }
        }
    };
}

pub(super) use list_request;

/// A parameter of a list; as in the original, an empty text is none.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        given => T::deserialize(given).map(Some).map_err(D::Error::custom),
    }
}

/// `query`, with a parameter of the request if it is given.
pub(super) fn narrowed<Q: Question>(
    query: Q::Checked,
    name: &str,
    value: Option<impl Serialize>,
    catalogue: &'static Catalogue,
) -> Result<Q::Checked> {
    let Some(value) = value else { return Ok(query) };
    let value = serde_json::to_value(value).map_err(Error::internal)?;
    Q::narrowed(query, name, value, catalogue)
}

/// The longest name of anything, in characters.
const LONGEST_NAME: usize = 255;

/// A name that a person gave, without blanks around it.
pub(super) fn name(parameter: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::required(parameter));
    }
    if text.chars().count() > LONGEST_NAME {
        let detail = format!("`{parameter}` has at most {LONGEST_NAME} characters");
        return Err(Error::at(Code::InvalidParameter, format!("/{parameter}"), detail));
    }
    Ok(text.to_owned())
}

/// A name by which people tell who acts: such a one looks like no other.
pub(super) fn called(parameter: &str, text: &str) -> Result<String> {
    let name = name(parameter, text)?;
    if let Some(letter) = name.chars().find(|letter| is_hidden(*letter)) {
        let detail = format!(
            "`{parameter}` has no control or format characters, such as {}",
            letter.escape_unicode()
        );
        return Err(Error::at(Code::InvalidParameter, format!("/{parameter}"), detail));
    }
    Ok(name)
}

/// A text that a person gave, without blanks around it; as in the original, an empty one is none.
pub(super) fn text(given: Option<String>) -> Option<String> {
    let text = given?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
