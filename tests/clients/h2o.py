"""What the documentation of h2o_audit_trail shows, with the client as it is: only the login is replaced, which needs
another company's identity provider. h2o.py URL SERVICE_TOKEN USER_TOKEN"""

import sys
import uuid
from datetime import datetime, timezone

import requests
from h2o_audit_trail.connection_config import ConnectionConfig
from h2o_audit_trail.event.client import EventClient
from h2o_audit_trail.event.create import CreateEventRequest
from h2o_audit_trail.event.event import Event
from h2o_audit_trail.event.event_type import EventType
from h2o_audit_trail.event.search import SearchEventsRequestFilter
from h2o_audit_trail.exception import CustomApiException
from h2o_audit_trail.model.status import Status

url, service_token, user_token = sys.argv[1:4]
service = EventClient(ConnectionConfig(url, lambda: service_token))
user = EventClient(ConnectionConfig(url, lambda: user_token))


def refused(status, code, call):
    try:
        call()
    except CustomApiException as error:
        import json

        assert error.status == status, error
        assert json.loads(error.body)["code"] == code, error.body
        return str(error)
    raise AssertionError("it was not refused")


def event(**more):
    said = dict(
        event_time=datetime.now(timezone.utc),
        event_source="h2oai-enginemanager-server",
        action="actions/enginemanager/daiEngines/CREATE",
        read_only=False,
        status=Status(code=0),
        principal="users/john.doe",
        source_ip_address="10.0.1.50",
    )
    return Event(**{**said, **more})


# The login asks whether somebody is there.
there = requests.get(f"{url}/version")
assert there.ok and there.json()["version"], there.text

# One event.
event_id = str(uuid.uuid4())
first = event()
created = service.create_event(event_id=event_id, event=first)
assert created.name == f"events/{event_id}", created
assert created.event_time == first.event_time, (created.event_time, first.event_time)
assert created.receive_time is not None
assert created.source_ip_address == "private"
assert (created.status.code, created.type) == (0, EventType.TYPE_API)
print(f"Created event: {created.name}")

# The same once more is the same; another under its name is none.
again = service.create_event(event_id=event_id, event=first)
assert again == created, (again, created)
other = event(event_time=first.event_time, principal="users/jane.doe")
refused(409, 6, lambda: service.create_event(event_id=event_id, event=other))

# With metadata; the client does not send the workspace, which is that of the resource.
rich = service.create_event(
    event_id=str(uuid.uuid4()),
    event=event(
        resource="//engine-manager/workspaces/my-workspace/daiEngines/my-engine",
        workspace="workspaces/my-workspace",
        user_agent="h2o-python-client/1.0.0",
        source_ip_address="203.0.113.7",
        metadata={"engine_type": "dai", "instance_size": "large", "operation_id": "op-12345"},
        request_parameters={"timeout": "3600", "auto_start": "true"},
    ),
)
assert rich.workspace == "workspaces/my-workspace", rich
assert rich.metadata["operation_id"] == "op-12345"
assert rich.request_parameters == {"timeout": "3600", "auto_start": "true"}
assert (rich.source_ip_address, rich.user_agent) == ("203.0.113.7", "h2o-python-client/1.0.0")

# What the documentation shows to fail.
told = refused(400, 3, lambda: service.create_event(event_id="invalid-id", event=event()))
print(f"Invalid event ID: {told}")
bad_key = event(metadata={"Invalid-Key": "value"})
told = refused(400, 3, lambda: service.create_event(event_id=str(uuid.uuid4()), event=bad_key))
assert "Invalid-Key" in told, told

# A batch with one failure.
batch = [
    CreateEventRequest(
        event_id=str(uuid.uuid4()),
        event=event(
            event_source="h2oai-batch-processor",
            action=f"actions/batch/process/{i}",
            read_only=True,
            principal="services/batch-processor",
            source_ip_address="private",
            metadata={"batch_id": "batch-001", "item_index": str(i)},
            type=EventType.TYPE_SYSTEM if i % 2 else EventType.TYPE_API,
        ),
    )
    for i in range(10)
]
batch[4].event_id = "not-a-uuid"
response = service.batch_create_events(requests=batch)
print(f"Successfully created: {len(response.events)} events")
print(f"Failed to create: {len(response.failed_requests)} events")
assert len(response.events) == 9
assert list(response.failed_requests) == [4]
for index, rpc_status in response.failed_requests.items():
    print(f"Request {index} failed with code {rpc_status.code}: {rpc_status.message}")
    assert rpc_status.code == 3 and "event_id" in rpc_status.message

# The whole batch once more, mended: nothing doubles.
batch[4].event_id = str(uuid.uuid4())
response = service.batch_create_events(requests=batch)
assert (len(response.events), response.failed_requests) == (10, {})

# Whoever is no service does not create; both search.
told = refused(405, 12, lambda: user.create_event(event_id=str(uuid.uuid4()), event=event()))
assert "405" in told, told
refused(405, 12, lambda: user.batch_create_events(requests=batch))
mine = SearchEventsRequestFilter(metadata_exact={"batch_id": "batch-001"})
for client in (user, service):
    found = client.search_events(filter_=mine)
    assert len(found.events) == 10, len(found.events)
    assert found.next_page_token == ""
    assert found.searched_until_time == datetime(2025, 7, 1, tzinfo=timezone.utc)

# Filters.
def count(**filter_):
    return len(user.search_events(filter_=SearchEventsRequestFilter(**filter_)).events)


assert count(event_source_exact="h2oai-enginemanager-server") == 2
assert count(event_source_regex="^h2oai-batch") == 10
assert count(principal_exact="users/john.doe") == 2
assert count(principal_regex="^services/batch") == 10
assert count(action_exact="actions/batch/process/3") == 1
assert count(action_regex="^actions/batch/process/[0-4]$") == 5
assert count(resource_regex="/daiEngines/my-engine$") == 1
assert count(workspace_exact="workspaces/my-workspace") == 1
assert count(metadata_regex={"item_index": "^[789]$"}) == 3
assert count(source_ip_address_exact="203.0.113.7") == 1
assert count(status_code_regex="^0$", event_source_regex="^h2oai") == 12
assert count(event_source_exact="h2oai-batch-processor", include_types=[EventType.TYPE_SYSTEM]) == 5
assert count(event_source_exact="h2oai-batch-processor", exclude_types=[EventType.TYPE_SYSTEM]) == 5
assert count(read_only=True, event_source_regex="^h2oai") == 10
assert count(event_source_regex="^h2oai", end_event_time=first.event_time) == 0
assert count(event_source_exact="h2oai-enginemanager-server", start_event_time=first.event_time) == 2

# What is done in Alertmill itself is told in the same shape.
ours = user.search_events(filter_=SearchEventsRequestFilter(event_source_exact="alertmill"))
assert any(found.action == "token.create" for found in ours.events), ours

# Pages.
names, page_token = [], ""
while True:
    page = user.search_events(filter_=mine, page_size=3, page_token=page_token)
    names += [found.name for found in page.events]
    page_token = page.next_page_token
    if not page_token:
        break
assert len(names) == len(set(names)) == 10, names
refused(400, 3, lambda: user.search_events(page_token="nonsense"))

print("done")
