//! What can be asked about who logs in.

use super::{Catalogue, Field, Kind, Order, text, time};

/// Users.
pub static USERS: Catalogue = Catalogue {
    resource: "user",
    id: "user_id",
    fields: &[
        text("user_id"),
        text("name"),
        text("email"),
        text("external_id"),
        Field { name: "has_password", kind: Kind::Object },
        text("role"),
        text("domain_id"),
        Field { name: "workspaces", kind: Kind::Texts },
        Field { name: "projects", kind: Kind::Texts },
        text("state"),
        time("locked_until"),
        time("created_at"),
        time("password_set_at"),
        time("last_login_at"),
    ],
    aliases: &[],
    keyword: &["user_id", "name", "email"],
    minimal: &["user_id", "name", "role", "state"],
    order: Order::By("name"),
};

/// Applications.
pub static APPLICATIONS: Catalogue = Catalogue {
    resource: "application",
    id: "application_id",
    fields: &[
        text("application_id"),
        text("name"),
        text("role"),
        text("domain_id"),
        Field { name: "workspaces", kind: Kind::Texts },
        Field { name: "projects", kind: Kind::Texts },
        text("state"),
        time("created_at"),
        time("secret_set_at"),
    ],
    aliases: &[],
    keyword: &["application_id", "name"],
    minimal: &["application_id", "name", "role", "state"],
    order: Order::By("name"),
};

/// Sessions of users, and what applications were given.
pub static SESSIONS: Catalogue = Catalogue {
    resource: "session",
    id: "session_id",
    fields: &[
        text("session_id"),
        text("holder"),
        text("name"),
        time("created_at"),
        time("expires_at"),
    ],
    aliases: &[],
    keyword: &["session_id", "name"],
    minimal: &["session_id", "holder", "name"],
    order: Order::By("created_at"),
};
