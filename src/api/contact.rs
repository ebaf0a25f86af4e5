//! `contact.*`: how people are reached.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Call, Done, Moment, Page, Shown, StatInfo,
    asked::{self, list_request},
    call::seen,
    place::{self, Extent, may_change, project_shown},
};
use crate::{
    domain::{
        channel::{Channel, Place},
        people::Contact,
        project::{Domain, Project, Workspace},
        setup::Held,
        words::NotificationUrgency,
    },
    error::{Code, Error, Result},
    id::Id,
    query::CONTACTS,
    store::Tx,
};

/// One way to reach a user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ContactInfo {
    /// Its identifier.
    pub contact_id: Id<Contact>,
    /// The user, by the name that alerts are assigned to.
    pub user_id: String,
    /// The channel that reaches them.
    pub channel_id: Id<Channel>,
    /// Which alerts it is used for.
    pub urgency: NotificationUrgency,
    /// Whether it holds in a whole workspace or in one project.
    pub resource_group: Extent,
    /// The project it holds in; `*` for all of its workspace.
    pub project_id: Id<Project>,
    /// Its workspace.
    pub workspace_id: Id<Workspace>,
    /// Its domain.
    pub domain_id: Id<Domain>,
    /// When it was made.
    pub created_at: Moment,
}

impl From<&Contact> for ContactInfo {
    fn from(contact: &Contact) -> Self {
        let Contact { contact_id, user_id, channel_id, urgency, place, created_at } = contact;
        Self {
            contact_id: contact_id.clone(),
            user_id: user_id.clone(),
            channel_id: channel_id.clone(),
            urgency: *urgency,
            resource_group: Extent::of(place),
            project_id: project_shown(place),
            workspace_id: place.workspace_id().clone(),
            domain_id: place.domain_id().clone(),
            created_at: (*created_at).into(),
        }
    }
}

/// Asks for a new contact method of a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateContact {
    /// The user, by the name that alerts are assigned to.
    user_id: String,
    /// The channel that reaches them. One that takes no levels is theirs alone.
    channel_id: Id<Channel>,
    /// Which alerts it is used for; ALL where absent.
    urgency: Option<NotificationUrgency>,
    /// Whether it holds in a whole workspace or in one project; in the project where one is named.
    resource_group: Option<Extent>,
    /// The project that it holds in.
    project_id: Option<Id<Project>>,
    /// The workspace that it holds in; the caller's, or `default`, where absent.
    workspace_id: Option<Id<Workspace>>,
}

/// Makes a contact method of a user.
pub fn create(tx: &mut dyn Tx, call: &Call, request: CreateContact) -> Result<ContactInfo> {
    let CreateContact { user_id, channel_id, urgency, resource_group, project_id, workspace_id } =
        request;
    let place = place::asked(tx, call, resource_group, (project_id, workspace_id))?;
    known(tx, call, (&channel_id, &place))?;
    let contact = Contact {
        contact_id: call.mint.id(call.now),
        user_id: asked::name("user_id", &user_id)?,
        channel_id,
        urgency: urgency.unwrap_or(NotificationUrgency::All),
        place,
        created_at: call.now,
    };
    place::has_room(tx, Held::Contacts, &contact.place)?;
    call.touches("contact", &contact.contact_id);
    keep(tx, call, (None, &contact))
}

/// Refuses a channel that is not there for all alerts of `place`.
fn known(tx: &dyn Tx, call: &Call, (id, place): (&Id<Channel>, &Place)) -> Result<()> {
    let wrong = |detail: String| Error::at(Code::InvalidParameter, "/channel_id", detail);
    match tx.channel(&call.caller.scope, id)? {
        None => Err(wrong(format!("there is no channel `{id}`"))),
        Some(channel) if channel.home.reaches(place) => Ok(()),
        Some(_) => Err(wrong(format!("channel `{id}` belongs to another project or workspace"))),
    }
}

/// Asks to change a contact method; what is left out stays as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateContact {
    /// Its identifier.
    contact_id: Id<Contact>,
    /// The channel that reaches them.
    channel_id: Option<Id<Channel>>,
    /// Which alerts it is used for.
    urgency: Option<NotificationUrgency>,
}

/// Changes a contact method.
pub fn update(tx: &mut dyn Tx, call: &Call, request: UpdateContact) -> Result<ContactInfo> {
    let UpdateContact { contact_id, channel_id, urgency } = request;
    let before = changeable(tx, call, &contact_id)?;
    let mut after = before.clone();
    if let Some(channel_id) = channel_id {
        known(tx, call, (&channel_id, &before.place))?;
        after.channel_id = channel_id;
    }
    after.urgency = urgency.unwrap_or(after.urgency);
    keep(tx, call, (Some(&before), &after))
}

/// Names one contact method.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneContact {
    /// Its identifier.
    contact_id: Id<Contact>,
}

/// Deletes a contact method.
pub fn delete(tx: &mut dyn Tx, call: &Call, request: OneContact) -> Result<Done> {
    let contact = changeable(tx, call, &request.contact_id)?;
    tx.delete_contact(&contact.contact_id)?;
    call.touched("contact", &contact.contact_id, seen(&ContactInfo::from(&contact)), None);
    Ok(Done {})
}

/// One contact method.
pub fn get(tx: &dyn Tx, call: &Call, request: OneContact) -> Result<ContactInfo> {
    existing(tx, call, &request.contact_id).map(|contact| ContactInfo::from(&contact))
}

fn existing(tx: &dyn Tx, call: &Call, id: &Id<Contact>) -> Result<Contact> {
    call.touches("contact", id);
    let contact = tx.contact(&call.caller.scope, id)?;
    contact.ok_or_else(|| Error::not_found("contact method", id))
}

/// A contact method that is about to be changed.
fn changeable(tx: &dyn Tx, call: &Call, id: &Id<Contact>) -> Result<Contact> {
    let contact = existing(tx, call, id)?;
    may_change(&contact.place, call)?;
    Ok(contact)
}

fn keep(
    tx: &mut dyn Tx,
    call: &Call,
    (before, after): (Option<&Contact>, &Contact),
) -> Result<ContactInfo> {
    tx.put_contact(after)?;
    let before = before.map(ContactInfo::from);
    let after = ContactInfo::from(after);
    call.touched("contact", &after.contact_id, before.as_ref().and_then(seen), seen(&after));
    Ok(after)
}

list_request! {
    /// Asks for contact methods.
    ListContacts: Asked,
    /// Asks for statistics of contact methods.
    StatContacts: AskedStat
    of CONTACTS {
        /// Only the one with this identifier.
        contact_id: Id<Contact>,
        /// Only those of this user.
        user_id: String,
        /// Only those through this channel.
        channel_id: Id<Channel>,
        /// Only those of workspaces, or only those of projects.
        resource_group: Extent,
        /// Only those of this project; `*` for those of workspaces.
        project_id: Id<Project>,
        /// Only those of this workspace.
        workspace_id: Id<Workspace>,
        /// Only those of this domain.
        domain_id: Id<Domain>,
    }
}

/// Contact methods, by user where no order is asked for.
pub fn list(tx: &dyn Tx, call: &Call, request: ListContacts) -> Result<Page<Shown<ContactInfo>>> {
    let query = request.checked(call.now)?;
    let contacts = tx.contacts(&call.caller.scope)?;
    Page::listed(contacts.iter().map(ContactInfo::from), &query, &CONTACTS)
}

/// Statistics of contact methods.
pub fn stat(tx: &dyn Tx, call: &Call, request: StatContacts) -> Result<StatInfo> {
    let stat = request.checked(call.now)?;
    let contacts = tx.contacts(&call.caller.scope)?;
    StatInfo::of(contacts.iter().map(ContactInfo::from), &stat)
}
