//! What was done and to what, in the words of CADF's taxonomies of actions and resources.

/// An action of the taxonomy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// Something is there that was not.
    Create,
    /// Something was looked at, or taken out.
    Read,
    /// Several were looked at.
    List,
    /// Something is otherwise.
    Update,
    /// Something is gone.
    Delete,
    /// How the service itself works is otherwise.
    Configure,
    /// Something works again.
    Enable,
    /// Something works no longer.
    Disable,
    /// Something began.
    Start,
    /// Something ended before its time.
    Stop,
    /// A secret was replaced.
    Renew,
    /// Something that was given was taken back.
    Revoke,
    /// Someone said who they are.
    Login,
    /// Someone left.
    Logout,
    /// A copy was made.
    Backup,
    /// A copy was put back.
    Restore,
    /// Something was examined or tried out.
    Evaluate,
    /// Something was sent.
    Send,
    /// None of these.
    Unknown,
}

impl Verb {
    /// What kind of action one of ours is, or one that was posted: its last word says it.
    pub(super) fn of(action: &str) -> Self {
        let last = action.rsplit(['.', '/', ':']).next().unwrap_or_default();
        match last.to_ascii_lowercase().as_str() {
            "create" | "created" | "batch_create" | "open" | "add" | "raise" | "import"
            | "emit" | "post" | "trigger" | "batchcreate" | "add_override" | "create_batch" => {
                Self::Create
            }
            "get" | "read" | "export" | "download" | "show" | "head" => Self::Read,
            "list" | "search" => Self::List,
            "update"
            | "updated"
            | "group"
            | "acknowledgement_expire"
            | "acknowledge_by_link"
            | "put"
            | "patch"
            | "set"
            | "assign_user"
            | "assign"
            | "acknowledge"
            | "resolve"
            | "escalate"
            | "merge"
            | "unmerge"
            | "snooze"
            | "unsnooze"
            | "bulk"
            | "change_order"
            | "passwd"
            | "set_password"
            | "change_password"
            | "rename"
            | "accept"
            | "mute"
            | "unmute"
            | "settle"
            | "repeat"
            | "reopen"
            | "join" => Self::Update,
            "delete" | "deleted" | "remove" | "remove_override" | "retain" | "cut" | "purge" => {
                Self::Delete
            }
            "configure" | "reload" | "set_default" | "vacuum" | "checkpoint" | "migrate" => {
                Self::Configure
            }
            "enable" | "unlock" | "allow" => Self::Enable,
            "disable" | "lock" | "lock_out" | "lockout" | "deny" => Self::Disable,
            "start" | "begin" | "serve" => Self::Start,
            "stop" | "close" | "expire" | "end" | "exit" => Self::Stop,
            "rotate" | "rotate_key" | "rotate_secret" | "renew" => Self::Renew,
            "revoke" => Self::Revoke,
            "login" | "authenticate" | "token" | "use" | "issue" => Self::Login,
            "logout" => Self::Logout,
            "backup" => Self::Backup,
            "restore" => Self::Restore,
            "verify" | "check" | "test" | "explain" | "diff" | "simulate" | "dry_run"
            | "preview" => Self::Evaluate,
            "send" | "announce" | "redrive" | "deliver" | "notify" => Self::Send,
            _ => Self::Unknown,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::List => "read/list",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Configure => "configure",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
            Self::Login => "authenticate/login",
            Self::Logout => "authenticate/logout",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Evaluate => "evaluate",
            Self::Send => "send",
            Self::Unknown => "unknown",
        }
    }

    /// The action in the taxonomy's order, its general word first: `update/alert/snooze`.
    pub(super) fn in_taxonomy(self, action: &str) -> String {
        let word = self.word();
        let general = word.rsplit('/').next().unwrap_or(word);
        let mut path = word.to_owned();
        let parts: Vec<&str> =
            action.split(['.', '/', ':']).filter(|part| !part.is_empty()).collect();
        for (at, part) in parts.iter().enumerate() {
            let is_said = at + 1 == parts.len() && *part == general;
            if !is_said {
                path.push('/');
                path.push_str(part);
            }
        }
        path
    }
}

/// The taxonomy's type of one of our things.
pub(super) fn resource(kind: &str) -> String {
    let branch = match kind {
        "user" => return "data/security/account/user".to_owned(),
        "domain" | "project" => "data/security",
        "application" | "contact" => "data/security/account",
        "token" | "session" => "data/security/credential",
        "workspace" => "data/security/domain",
        "alert" | "event" | "delivery" | "message" | "note" => "data/message",
        "webhook" | "channel" | "heartbeat" | "service" => "service/oss",
        "store" => "service/storage",
        _ => "data/config",
    };
    format!("{branch}/{}", word(kind))
}

/// The taxonomy's type of who did it.
pub(super) fn initiator(kind: &str) -> String {
    let branch = match kind {
        "user" | "recipient" => return "service/security/account/user".to_owned(),
        "application" | "token" => "service/security/account",
        "webhook" | "timer" | "command" | "service" => "service/oss",
        _ => return "unknown".to_owned(),
    };
    format!("{branch}/{}", word(kind))
}

/// A part of a path.
fn word(text: &str) -> String {
    let part = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
    text.chars().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_begins_with_the_word_of_the_taxonomy() {
        for (action, wanted) in [
            ("webhook.create", "create/webhook"),
            ("alert.snooze", "update/alert/snooze"),
            ("webhook.rotate_key", "renew/webhook/rotate_key"),
            ("user.login", "authenticate/login/user"),
            ("user.logout", "authenticate/logout/user"),
            ("alert.list", "read/list/alert"),
            ("rules.reload", "configure/rules/reload"),
            ("Security.User.Login.Failed", "unknown/Security/User/Login/Failed"),
            ("actions/engines/create", "create/actions/engines"),
            ("", "unknown"),
        ] {
            assert_eq!(Verb::of(action).in_taxonomy(action), wanted);
        }
    }

    #[test]
    fn what_it_was_done_to_has_a_type_of_the_taxonomy() {
        assert_eq!(resource("user"), "data/security/account/user");
        assert_eq!(resource("project"), "data/security/project");
        assert_eq!(resource("event_rule"), "data/config/event_rule");
        assert_eq!(resource("odd kind/../x"), "data/config/odd_kind____x");
        assert_eq!(initiator("application"), "service/security/account/application");
        assert_eq!(initiator("anonymous"), "unknown");
    }
}
