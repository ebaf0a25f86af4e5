"""Builds an event of pycadf from each line of a file of CADF events, and has pycadf judge it.

Run as `python cadf.py FILE`; prints how many events were valid, and fails at the first that is not. The validators of
pycadf run when its objects are made, so each event is made anew from its fields.
"""

import json
import os
import sys

# This file bears the name of the package, which must be found first.
sys.path = [path for path in sys.path if os.path.realpath(path or ".") != os.path.dirname(os.path.realpath(__file__))]

from pycadf import attachment, cadftaxonomy, event, host, reason, resource  # noqa: E402


def resource_of(fields):
    fields = dict(fields)
    if "host" in fields:
        fields["host"] = host.Host(**fields.pop("host"))
    made = resource.Resource(**fields)
    assert made.is_valid(), f"pycadf refuses the resource {fields}"
    return made


def event_of(fields):
    fields = dict(fields)
    type_uri = fields.pop("typeURI")
    assert type_uri == event.TYPE_URI_EVENT, f"it calls itself {type_uri}"
    tags, attachments = fields.pop("tags", []), fields.pop("attachments", [])
    for name in ("initiator", "target", "observer"):
        fields[name] = resource_of(fields[name])
    if "reason" in fields:
        fields["reason"] = reason.Reason(**fields["reason"])
    made = event.Event(**fields)
    for tag in tags:
        made.add_tag(tag)
    for one in attachments:
        made.add_attachment(attachment.Attachment(**one))
    return made


def main():
    valid = 0
    with open(sys.argv[1], encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            given = json.loads(line)
            try:
                made = event_of(given)
                assert made.is_valid(), "pycadf says that it is not valid"
                assert made.as_dict() == given, "pycadf writes it otherwise"
                assert cadftaxonomy.is_valid_action(given["action"]), "its action is none of the taxonomy"
                if given["outcome"] == "failure":
                    assert "reason" in given, "it failed without a reason"
            except (AssertionError, KeyError, TypeError, ValueError) as wrong:
                sys.exit(f"line {number}: {wrong}\n{line}")
            valid += 1
    print(json.dumps({"valid": valid}))


if __name__ == "__main__":
    main()
