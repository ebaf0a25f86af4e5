//! From JSON to a [`Stat`], or to the place of the first mistake.

pub(in crate::query) mod group;
pub(in crate::query) mod project;

use serde_json::Value;

use super::{
    RowSort, Slice, Stage, Stat, Work,
    check::RowTest,
    fill::Fill,
    group::{Group, KeyPart},
    path::Path,
};
use crate::{
    clock::Timestamp,
    error::Code,
    query::{
        Kind, QueryError,
        parse::{self, Asking, Members, Written, unknown, whole},
        time,
    },
};

/// The members of a query for statistics.
const STAT: &[&str] = &["filter", "filter_or", "keyword", "page", "aggregate", "distinct"];

/// The stages.
const STAGES: [&str; 9] =
    ["unwind", "group", "count", "sort", "project", "limit", "skip", "match", "fill"];

pub(super) fn stat(value: &Value, asking: &Asking) -> Result<Stat, QueryError> {
    let empty = Value::Object(serde_json::Map::new());
    let value = if value.is_null() { &empty } else { value };
    let members = Members::of(value, STAT, "/query")?;
    let mut filter = parse::filter(&members, asking, &keyword_fields(asking))?;
    let page = slice(&members)?;
    let stages = members.list("aggregate")?;
    let distinct = members.text("distinct")?;
    let work = match (stages, distinct) {
        ([], None) => return Err(required("aggregate", "`aggregate` or `distinct` is required")),
        ([], Some(path)) => Work::Distinct(keys(path, &members.at("distinct"))?.0),
        (stages, _) => {
            let mut reader = Reader::new(asking);
            for (at, stage) in stages.iter().enumerate() {
                reader.stage(stage, &format!("{}/{at}", members.at("aggregate")))?;
            }
            filter.all.append(&mut reader.filter);
            Work::Aggregate(reader.stages)
        }
    };
    Ok(Stat { filter, catalogue: asking.catalogue, work, page })
}

/// The fields that a keyword looks at in statistics: as in the original, not at the number of an alert.
pub(in crate::query) fn keyword_fields(asking: &Asking) -> Vec<&'static str> {
    let fields = asking.catalogue.keyword.iter().copied();
    fields.filter(|field| *field != "alert_number_str").collect()
}

pub(in crate::query) fn required(name: &str, detail: &str) -> QueryError {
    QueryError {
        code: Code::RequiredParameter,
        pointer: format!("/query/{name}"),
        detail: detail.to_owned(),
    }
}

/// The page of rows that is asked for.
pub(super) fn slice(members: &Members<'_>) -> Result<Option<Slice>, QueryError> {
    let Some(value) = members.get("page") else { return Ok(None) };
    let members = Members::of(value, &["start", "limit"], &members.at("page"))?;
    let start = members.number("start")?.unwrap_or(1);
    let limit = members.number("limit")?.unwrap_or(0);
    let slice = Slice { skipped: start.saturating_sub(1), limit };
    Ok((limit > 0).then_some(slice))
}

/// The longest way through a row, in characters.
const LONGEST: usize = 1000;

/// The way that `text`, which stands at `pointer`, describes.
pub(in crate::query) fn keys(text: &str, pointer: &str) -> Result<Path, QueryError> {
    if text.len() > LONGEST {
        let detail = format!("a key has at most {LONGEST} characters");
        return Err(QueryError::new(pointer, detail));
    }
    Ok(Path::read(text))
}

/// A name for a field of a row that is made.
pub(in crate::query) fn name(text: &str, pointer: &str) -> Result<String, QueryError> {
    if text.is_empty() || text.contains('.') || text.starts_with('$') {
        let detail = "a name is a text without dots that does not begin with `$`";
        return Err(QueryError::new(pointer, detail));
    }
    if text.len() > LONGEST {
        let detail = format!("a name has at most {LONGEST} characters");
        return Err(QueryError::new(pointer, detail));
    }
    Ok(text.to_owned())
}

/// Stages as they are read one after the other.
pub(in crate::query) struct Reader<'a> {
    pub(in crate::query) asking: &'a Asking,
    /// Whether rows are still the records themselves, of which more is known.
    is_record: bool,
    /// The names of the keys of the group before.
    keys: Vec<String>,
    pub(super) stages: Vec<Stage>,
    /// What `match` asked of the records before anything else happened to them.
    filter: Vec<crate::query::Condition>,
}

impl<'a> Reader<'a> {
    pub(in crate::query) fn new(asking: &'a Asking) -> Self {
        let (keys, stages, filter) = (Vec::new(), Vec::new(), Vec::new());
        Self { asking, is_record: true, keys, stages, filter }
    }

    /// What kind of value a path leads to, as far as that is known.
    pub(in crate::query) fn kind(&self, path: &Path) -> Kind {
        let field = self.asking.catalogue.field(path.field());
        match field {
            Some(field) if self.is_record && path.is_top() => field.kind,
            _ => Kind::Object,
        }
    }

    fn stage(&mut self, value: &Value, pointer: &str) -> Result<(), QueryError> {
        let members = Members::of(value, &STAGES, pointer)?;
        let mut words = STAGES.iter().filter_map(|word| Some((*word, members.get(word)?)));
        let (Some((word, value)), None) = (words.next(), words.next()) else {
            let detail = format!("a stage is an object with one of {}", STAGES.join(", "));
            return Err(QueryError::new(pointer, detail));
        };
        let at = members.at(word);
        match word {
            "unwind" => self.unwind(value, &at),
            "match" => self.matching(value, &at),
            "group" => {
                let group = self.group(value, &at)?;
                self.grouped(group);
                Ok(())
            }
            "count" => {
                let members = Members::of(value, &["name"], &at)?;
                let what = "`count` needs a name for the number";
                let text = members.text("name")?.ok_or_else(|| members.mistake("name", what))?;
                self.stages.push(Stage::Count(name(text, &members.at("name"))?));
                self.made_over(Vec::new());
                Ok(())
            }
            "sort" => {
                let order = sort(value, &at)?;
                self.stages.push(Stage::Sort(order));
                Ok(())
            }
            "project" => {
                let (project, keys) = self.project(value, &at)?;
                self.stages.push(Stage::Project(project));
                self.made_over(keys);
                Ok(())
            }
            "limit" => match whole(value).filter(|rows| *rows > 0) {
                Some(rows) => {
                    self.stages.push(Stage::Limit(rows));
                    Ok(())
                }
                None => Err(QueryError::new(at, "`limit` is a whole number from one")),
            },
            "skip" => match whole(value) {
                Some(rows) => {
                    self.stages.push(Stage::Skip(rows));
                    Ok(())
                }
                None => Err(QueryError::new(at, "`skip` is a whole number from zero")),
            },
            _ => self.fill(value, &at),
        }
    }

    pub(super) fn grouped(&mut self, group: Group) {
        let keys = group.keys.iter().map(|key| key.name.clone()).collect();
        self.stages.push(Stage::Group(Box::new(group)));
        self.made_over(keys);
    }

    fn made_over(&mut self, keys: Vec<String>) {
        self.is_record = false;
        self.keys = keys;
    }

    fn unwind(&mut self, value: &Value, pointer: &str) -> Result<(), QueryError> {
        let members = Members::of(value, &["path", "filter"], pointer)?;
        let what = "`path` is missing: the list whose elements make rows";
        let path = members.text("path")?.ok_or_else(|| members.mistake("path", what))?;
        let path = keys(path, &members.at("path"))?;
        let tests = self.tests(&members)?;
        self.stages.push(Stage::Unwind(path, tests));
        Ok(())
    }

    /// Conditions on rows. On records themselves, first of all, they are part of the filter.
    fn matching(&mut self, value: &Value, pointer: &str) -> Result<(), QueryError> {
        let members = Members::of(value, &["filter"], pointer)?;
        let (list, at) = (members.list("filter")?, members.at("filter"));
        let is_known = |condition: &Value| {
            let key = condition.get("k").or_else(|| condition.get("key")).and_then(Value::as_str);
            let field = key.and_then(|key| key.split('.').next()).unwrap_or_default();
            self.asking.catalogue.field(field).is_some()
        };
        if self.stages.is_empty() && list.iter().all(is_known) {
            self.filter.extend(self.asking.conditions(list, &at)?);
        } else {
            let tests = self.tests(&members)?;
            self.stages.push(Stage::Match(tests));
        }
        Ok(())
    }

    fn tests(&self, members: &Members<'_>) -> Result<Vec<RowTest>, QueryError> {
        let each = members.list("filter")?.iter().enumerate().map(|(at, value)| {
            let written = Written::read(value, &format!("{}/{at}", members.at("filter")))?;
            let path = keys(written.key, &written.key_at)?;
            let kind = self.kind(&path);
            let Written { operator, operand, operand_at, .. } = written;
            let test = self.asking.test(operator, operand, (kind, &operand_at))?;
            Ok(RowTest { path: path.0, kind, test })
        });
        each.collect()
    }

    fn fill(&mut self, value: &Value, pointer: &str) -> Result<(), QueryError> {
        let members = Members::of(value, &["key", "from", "to"], pointer)?;
        let what = "`key` is missing: the name of the key that has a `bucket`";
        let key = members.text("key")?.ok_or_else(|| members.mistake("key", what))?;
        let Some(Stage::Group(group)) = self.stages.last() else {
            let detail = "`fill` follows a group, which says what is filled";
            return Err(QueryError::new(pointer, detail));
        };
        let found = group.keys.iter().find_map(|part| match &part.part {
            KeyPart::Step(bucket) if part.name == key => Some(*bucket),
            _ => None,
        });
        let Some(bucket) = found else {
            let detail = format!("the group before has no key `{key}` with a `bucket`");
            return Err(members.mistake("key", detail));
        };
        let instant = |name| self.instant(&members, name);
        let (from, to) = (instant("from")?, instant("to")?);
        if from.zip(to).is_some_and(|(from, to)| from >= to) {
            return Err(members.mistake("to", "`to` must be after `from`"));
        }
        let others = group.keys.iter().map(|part| &part.name).filter(|name| *name != key);
        let fill = Fill {
            key: key.to_owned(),
            bucket,
            others: others.cloned().collect(),
            fields: group.fields.clone(),
            from,
            to,
            pointer: pointer.to_owned(),
        };
        self.stages.push(Stage::Fill(Box::new(fill)));
        Ok(())
    }

    fn instant(&self, members: &Members<'_>, name: &str) -> Result<Option<Timestamp>, QueryError> {
        let Some(text) = members.text(name)? else { return Ok(None) };
        let now = self.asking.now;
        let read = time::diff(text, now).or_else(|| time::lenient(text, now));
        read.map(Some).ok_or_else(|| {
            let detail = format!("`{text}` is no time, such as 2026-01-02T03:04:05Z or now-2h");
            members.mistake(name, detail)
        })
    }

    /// The names of the keys of the group before.
    pub(in crate::query) fn keys(&self) -> &[String] {
        &self.keys
    }
}

/// An order of rows.
pub(in crate::query) fn sort(value: &Value, pointer: &str) -> Result<Vec<RowSort>, QueryError> {
    let list = match value {
        Value::Array(list) if list.is_empty() => {
            return Err(QueryError::new(pointer, "`sort` needs a key"));
        }
        Value::Array(list) if list.len() <= parse::MAX_PARTS => list,
        Value::Array(_) => {
            let detail = format!("at most {} of them", parse::MAX_PARTS);
            return Err(QueryError::new(pointer, detail));
        }
        _ => return Err(QueryError::new(pointer, "`sort` is a list of keys")),
    };
    let each = list.iter().enumerate().map(|(at, value)| {
        let pointer = format!("{pointer}/{at}");
        let (key, direction) = parse::sort_key(value, &pointer)?;
        Ok(RowSort { path: keys(&key, &format!("{pointer}/key"))?.0, direction })
    });
    each.collect()
}

/// That a word is none of those known.
pub(in crate::query) fn no_such(what: &str, word: &str, known: &[&str], at: &str) -> QueryError {
    QueryError::new(at, unknown(what, word, known.iter().copied()))
}
