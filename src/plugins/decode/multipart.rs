//! Forms with files: `multipart/form-data`.

use std::{borrow::Cow, convert::Infallible};

use futures_util::{FutureExt as _, stream};
use multer::{Constraints, Field, Multipart, SizeLimit, parse_boundary};
use serde_json::{Map, Value, json};

use super::{Repeated, add, kind_of, unreadable};
use crate::domain::receipt::Unreadable;

/// How many bytes of a file are taken as text.
const FILE_LIMIT: usize = 64 * 1024;

/// How many parts a body may have: each costs more than its bytes while it is read.
const PARTS: usize = 1_000;

/// The fields by name; those of one that comes more than once as a list. A part that is JSON is read as such; a file is
/// an object with its name and, where that is text of some size, its text.
pub(super) fn decode(body: &[u8], content_type: Option<&str>) -> Result<Value, Unreadable> {
    let said = content_type.unwrap_or_default();
    let boundary = parse_boundary(said).map_err(|fault| {
        let expected = "expected `multipart/form-data; boundary=…`";
        unreadable(format!(
            "the content type `{said}` is none of a form with files: {fault}; {expected}"
        ))
    })?;
    // All bytes are there, so nothing ever waits.
    read(body.to_vec(), boundary)
        .now_or_never()
        .unwrap_or_else(|| Err(unreadable("the form ends in the middle of a part".to_owned())))
}

fn read(body: Vec<u8>, boundary: String) -> impl Future<Output = Result<Value, Unreadable>> {
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(body.len() as u64));
    let bytes = stream::once(std::future::ready(Ok::<_, Infallible>(body)));
    let mut parts = Multipart::with_constraints(bytes, boundary, limits);
    async move {
        let (mut object, mut repeated) = (Map::new(), Repeated::default());
        for number in 1.. {
            let wrong = |fault: multer::Error| {
                unreadable(format!("part {number} of the form cannot be read: {fault}"))
            };
            let Some(part) = parts.next_field().await.map_err(wrong)? else { break };
            if number > PARTS {
                return Err(unreadable(format!("the form has more than {PARTS} parts")));
            }
            let head = Head::of(&part, number)?;
            let bytes = part.bytes().await.map_err(wrong)?;
            let value = head.value(&bytes)?;
            add(&mut object, &mut repeated, Cow::Owned(head.name), value);
        }
        Ok(Value::Object(object))
    }
}

/// What a part says of itself.
struct Head {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Head {
    fn of(part: &Field<'_>, number: usize) -> Result<Self, Unreadable> {
        let name = part.name().filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| unreadable(format!("part {number} of the form has no name")))?;
        Ok(Self {
            name: name.to_owned(),
            file_name: part.file_name().map(str::to_owned),
            content_type: part.content_type().map(ToString::to_string),
        })
    }

    fn value(&self, bytes: &[u8]) -> Result<Value, Unreadable> {
        let Self { name, file_name, content_type } = self;
        let at = |reason: String| Unreadable { path: Some(name.clone()), ..unreadable(reason) };
        let kind = kind_of(content_type.as_deref());
        if kind.ends_with("/json") || kind.ends_with("+json") {
            return serde_json::from_slice(bytes)
                .map_err(|fault| at(format!("the form's field `{name}` is no JSON: {fault}")));
        }
        let text = std::str::from_utf8(bytes);
        let Some(file_name) = file_name else {
            return text.map(Value::from).map_err(|fault| {
                let byte = fault.valid_up_to();
                at(format!("the form's field `{name}` is no UTF-8 from byte {byte} on"))
            });
        };
        let size = bytes.len();
        Ok(match text {
            Ok(text) if size <= FILE_LIMIT => {
                json!({ "filename": file_name, "content_type": content_type, "size": size, "text": text })
            }
            Ok(_) => self.skipped(size, "it is longer than 64 KiB"),
            Err(_) => self.skipped(size, "it is no text"),
        })
    }

    /// A file that is not taken over, and why.
    fn skipped(&self, size: usize, why: &str) -> Value {
        let Self { file_name, content_type, .. } = self;
        json!({ "filename": file_name, "content_type": content_type, "size": size, "skipped": why })
    }
}
