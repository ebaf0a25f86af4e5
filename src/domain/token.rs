//! Who may call: bearer tokens, kept as digests.

use super::{
    audit::{Actor, ActorKind},
    scope::{Reach, Scope},
    user::{Application, User},
    words::Role,
};
use crate::{
    clock::Timestamp,
    digest::Digest,
    id::{Id, Identified},
};

/// What a caller shows to be let in.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its identifier, which may be shown.
    pub token_id: Id<Token>,
    /// What people call it.
    pub name: String,
    /// The SHA-256 of the token.
    pub digest: Digest,
    /// Whose it is.
    pub holder: Holder,
    /// What its holder may do.
    pub role: Role,
    /// What its holder may see.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's: whoever has it holds it.
    Nobody,
    /// A person's: it is a session.
    User(Id<User>),
    /// A machine account's.
    Application(Id<Application>),
}

/// What a method needs its caller to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing: it is for everybody, with or without a token.
    Anyone,
    /// To read within the caller's scope.
    Read,
    /// To change within the caller's scope.
    Write,
    /// To report what was done in another service: for services alone.
    Post,
    /// To manage a workspace: its projects and tokens.
    Own,
    /// To manage the installation: domains, workspaces, rules, what happened to all of it.
    Administer,
}

impl Identified for Token {
    const PREFIX: &'static str = "token";
}

impl Token {
    /// Who acts with it, under the token's own name.
    pub fn actor(&self) -> Actor {
        match &self.holder {
            Holder::Nobody => Actor::new(ActorKind::Token, self.token_id.as_str(), &*self.name),
            Holder::User(id) => Actor::new(ActorKind::User, id.as_str(), &*self.name),
            Holder::Application(id) => Actor::new(ActorKind::Application, id.as_str(), &*self.name),
        }
    }

    /// Whether it still works at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl Role {
    /// Whether a holder of this role may do what needs `right` (Cloudforet monitoring v1, roles).
    pub const fn allows(self, right: Right) -> bool {
        match (self, right) {
            // What services report is worth something because nobody else can, not even an administrator.
            (Self::Service, Right::Post) => true,
            (_, Right::Post) => false,
            (Self::SystemAdmin, _)
            | (_, Right::Anyone | Right::Read)
            | (Self::WorkspaceOwner, Right::Write | Right::Own)
            | (Self::WorkspaceMember | Self::Service, Right::Write) => true,
            (Self::DomainAdmin, Right::Write)
            | (Self::DomainAdmin | Self::WorkspaceMember | Self::Service, Right::Own)
            | (_, Right::Administer) => false,
        }
    }

    /// What a scope must leave unsaid or say for this role; `None` if it is as it should be.
    pub fn misfit(self, scope: &Scope) -> Option<&'static str> {
        let one_domain = scope.domains != Reach::All;
        let some_workspaces = scope.workspaces != Reach::All;
        let some_projects = scope.projects != Reach::All;
        match self {
            Self::SystemAdmin if one_domain || some_workspaces || some_projects => {
                Some("a SYSTEM_ADMIN reaches everything: give no domain, workspace or project")
            }
            Self::DomainAdmin if !one_domain || some_workspaces || some_projects => {
                Some("a DOMAIN_ADMIN needs a domain, and no workspace or project")
            }
            Self::WorkspaceOwner if !some_workspaces || some_projects => {
                Some("a WORKSPACE_OWNER needs a workspace, and no project")
            }
            Self::WorkspaceMember | Self::Service if !some_workspaces || !some_projects => Some(
                "this role needs a workspace and some of its projects: `workspace_id` and `projects`, on the command line \
                     `--workspace` and `--project`",
            ),
            Self::SystemAdmin
            | Self::DomainAdmin
            | Self::WorkspaceOwner
            | Self::WorkspaceMember
            | Self::Service => None,
        }
    }
}
