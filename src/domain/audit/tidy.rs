//! What a record keeps of texts that anybody may have sent: the beginning of long ones, and no secret that was pasted where
//! an identifier belongs.

use super::{Actor, AuditEntry, Entity};

/// The longest word for what kind of thing something is, and the longest identifier, in characters.
const LONGEST_ID: usize = 200;

/// The longest name and the longest name of a program, in characters.
const LONGEST_NAME: usize = 300;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1000;

/// What our secrets begin with: tokens, sessions, and what applications are given and log in with.
const SECRETS: [&str; 4] = ["amt_", "ams_", "amb_", "amc_"];

impl AuditEntry {
    /// The same as it is kept: texts that anybody may have sent are cut, and hold no secret of ours.
    #[must_use]
    pub fn tidied(self) -> Self {
        let Actor { kind, id, name } = self.actor;
        let actor = Actor { kind, id: tidy(id, LONGEST_ID), name: tidy(name, LONGEST_NAME) };
        let entity = self.entity.map(|Entity { kind, id, name }| Entity {
            kind: tidy(kind, LONGEST_ID),
            id: tidy(id, LONGEST_ID),
            name: name.map(|name| tidy(name, LONGEST_NAME)),
        });
        Self {
            actor,
            entity,
            reason: self.reason.map(|reason| tidy(reason, LONGEST_REASON)),
            remote: self.remote.map(|remote| tidy(remote, LONGEST_ID)),
            user_agent: self.user_agent.map(|agent| tidy(agent, LONGEST_NAME)),
            request_id: self.request_id.map(|id| tidy(id, LONGEST_ID)),
            ..self
        }
    }
}

fn tidy(text: String, longest: usize) -> String {
    cut(masked(text), longest)
}

/// The text, or its beginning and how long it was.
fn cut(text: String, longest: usize) -> String {
    // No text has more characters than bytes.
    if text.len() <= longest {
        return text;
    }
    let characters = text.chars().count();
    if characters <= longest {
        return text;
    }
    let beginning: String = text.chars().take(longest).collect();
    format!("{beginning}… (cut, {characters} characters)")
}

/// The text without secrets of ours, of which the beginning alone is left.
fn masked(text: String) -> String {
    if !SECRETS.iter().any(|secret| text.contains(secret)) {
        return text;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut masked = String::new();
    let mut rest = text.as_str();
    while let Some(at) = SECRETS.iter().filter_map(|secret| rest.find(secret)).min() {
        let (before, secret) = rest.split_at(at);
        let end = secret.find(|c| !is_part(c)).unwrap_or(secret.len());
        let (beginning, after) = (secret.get(..4).unwrap_or_default(), secret.get(end..));
        masked.push_str(before);
        masked.push_str(beginning);
        masked.push_str("***");
        rest = after.unwrap_or_default();
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::from_millis, domain::audit::ActorKind};

    #[test]
    fn what_is_long_is_cut_and_says_so() {
        let long = "é".repeat(60_000);
        let actor = Actor::new(ActorKind::Token, long.clone(), long.clone());
        let entity = Entity::new(&long, &long).called(Some(long.clone()));
        let entry = AuditEntry {
            reason: Some(long.clone()),
            remote: Some(long.clone()),
            user_agent: Some(long.clone()),
            ..AuditEntry::new(from_millis(0), actor, "x.y").on(entity)
        };
        let AuditEntry { actor, entity, reason, remote, user_agent, .. } = entry.tidied();
        let Entity { kind, id, name } = entity.unwrap();
        let texts = [Some(actor.id), Some(actor.name), Some(kind), Some(id), name, reason];
        for text in texts.into_iter().chain([remote, user_agent]) {
            let text = text.unwrap();
            assert!(text.ends_with("… (cut, 60000 characters)"), "{text}");
            assert!(text.chars().count() < 1100);
        }
    }

    #[test]
    fn no_secret_of_ours_is_kept() {
        let text = "there is no token `amt_0aB-9_z`, nor ams_x; amt_".to_owned();
        assert_eq!(masked(text), "there is no token `amt_***`, nor ams_***; amt_***");
        assert_eq!(masked("token-0198".to_owned()), "token-0198");
    }
}
