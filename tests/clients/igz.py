"""Does with igz_mgmt what its documentation shows, and what its source allows: igz.py URL ACCESS_KEY READER_KEY USER PASSWORD.

Each line that it prints is something that held."""

import sys

import httpx
import igz_mgmt
import igz_mgmt.constants
import igz_mgmt.cruds
import igz_mgmt.exceptions
import igz_mgmt.resources
import igz_mgmt.schemas.events

url, access_key, reader_key = sys.argv[1:4]
client = igz_mgmt.Client(endpoint=url, username="someone", access_key=access_key)
ParametersText = igz_mgmt.schemas.events.ParametersText
constants = igz_mgmt.constants


def holds(what, truth):
    if not truth:
        sys.exit(f"does not hold: {what}")
    print(what)


holds("connects", client.tenant_id == "default" and str(client.version).count(".") == 2)

# Emitting.
texts = [("secret_keys", "a,b,c"), ("secret_name", "my-secret"), ("project", "my-project")]
event = igz_mgmt.resources.AuditEvent(
    source="mlrun-api",
    kind="Software.Project.Secret.Created",
    visibility=constants.EventVisibility.external.value,
    classification=constants.EventClassification.security.value,
    system_event=True,
    description="Created a secret",
    severity=constants.EventSeverity.info.value,
    parameters_text=[ParametersText(name=name, value=value) for name, value in texts],
)
sent = event.dict()
event.emit(client)

igz_mgmt.Event(
    source="stars", kind="My.Star.Exploded", severity="major", classification="hw",
    parameters_uint64=[igz_mgmt.schemas.events.ParametersUint64(name="mass", value=2**63)],
    affected_resources=[igz_mgmt.schemas.events.AffectedResource(type="star", id_str="sn-1", id=7, name="Sanduleak")],
    tags=["sky"], timestamp_iso8601="2025-06-01T10:00:00Z",
).emit(client)
igz_mgmt.Event(source="stars", kind="My.Star.Born", severity="info", classification="hw",
               timestamp_uint64=1748772000000).emit(client)
igz_mgmt.Event(source="bus", kind="Software.Service.Message").emit(client)
print("emits")

# What is listed is what was emitted, in its list alone.
audits = igz_mgmt.AuditEvent.list(client, filter_by={"source": "mlrun-api"})
holds("an audit event is in its list", len(audits) == 1)
for field in ["source", "kind", "visibility", "classification", "system_event", "description", "severity", "parameters_text"]:
    holds(f"{field} reads back", audits[0].dict()[field] == sent[field])
events = igz_mgmt.Event.list(client)
holds("events are in theirs", sorted(one.kind for one in events) == ["My.Star.Born", "My.Star.Exploded"])
told = igz_mgmt.CommunicationEvent.list(client)
holds("communication events are in theirs", [one.kind for one in told] == ["Software.Service.Message"])
exploded, = igz_mgmt.Event.list(client, filter_by={"kind": "My.Star.Exploded"})
holds("numbers and resources read back",
      exploded.parameters_uint64[0].value == 2**63 and exploded.affected_resources[0].name == "Sanduleak"
      and exploded.tags == ["sky"])
born, = igz_mgmt.Event.list(client, filter_by={"severity": constants.EventSeverity.info})
holds("either spelling of the time fills the other",
      born.timestamp_iso8601 == "2025-06-01T10:00:00.000Z" and exploded.timestamp_uint64 == 1748772000000)

# Filters, order, pages.
filters = {"source": "stars", "classification": "hw", "severity": "major", "tenant": client.tenant_id}
holds("filters are all met", [one.kind for one in igz_mgmt.Event.list(client, filter_by=filters)] == ["My.Star.Exploded"])
holds("another tenant's are not shown", igz_mgmt.Event.list(client, filter_by={"tenant": "other"}) == [])
down = [one.kind for one in igz_mgmt.Event.list(client, sort_by=["-kind"])]
holds("sorts", down == ["My.Star.Exploded", "My.Star.Born"])
Paging = igz_mgmt.cruds.ResourceListPagingQueryParams
pages = [igz_mgmt.Event.list(client, sort_by=["kind"], paging=Paging(number=at, size=1)) for at in range(3)]
holds("pages", [[one.kind for one in page] for page in pages] == [["My.Star.Born"], ["My.Star.Exploded"], []])
failed = igz_mgmt.AuditEvent.list(client, filter_by={"kind": "Security.User.Login.Failed"})
print(f"failed logins: {len(failed)}")


def refused(what, status, attempt):
    try:
        attempt()
    except httpx.HTTPStatusError as error:
        holds(what, error.response.status_code == status and "errors" in error.response.json())
        return str(error)
    sys.exit(f"not refused: {what}")


# What is refused.
odd = igz_mgmt.Event(source="s", kind="Software.Project.Secret.Created",
                     parameters_text=[ParametersText(name="colour", value="red")])
said = refused("parameters must fit the kind", 400, lambda: odd.emit(client))
holds("the parameter is named", "colour" in said)
refused("an unknown kind needs more", 400, lambda: igz_mgmt.Event(source="s", kind="No.Such").emit(client))
reader = igz_mgmt.Client(endpoint=url, username="reader", access_key=reader_key)
refused("emitting needs an administrator", 403, lambda: igz_mgmt.Event(source="s", kind="Software.Service.Message").emit(reader))
try:
    igz_mgmt.AuditEvent.delete_all(client)
    sys.exit("audit events were deleted")
except igz_mgmt.exceptions.ResourceDeleteException:
    print("the client deletes no audit events")
refused("nor does the server", 405, lambda: client.delete("audit_event", audits[0].id))
refused("nor all of them", 405, lambda: client.delete("audit_event", ""))
refused("events stay too", 405, lambda: igz_mgmt.Event.delete_all(client))

# A login by password.
if len(sys.argv) > 4:
    user, password = sys.argv[4:6]
    person = igz_mgmt.Client(endpoint=url)
    person.login(username=user, password=password)
    holds("logs in", person.username == user and person.tenant_id == "default")
    igz_mgmt.Event(source="s", kind="Software.Service.Message").emit(person)
    holds("lists by its session", len(igz_mgmt.CommunicationEvent.list(person)) == 2)
    refused("a wrong password opens nothing", 401, lambda: igz_mgmt.Client(endpoint=url).login(username=user, password="wrong"))
    failed = igz_mgmt.AuditEvent.list(client, filter_by={"kind": "Security.User.Login.Failed"})
    holds("and is an audit event", len(failed) == 1 and failed[0].parameters_text[0].value == user)
