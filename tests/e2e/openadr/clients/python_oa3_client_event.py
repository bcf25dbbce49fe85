"""A whole event by `python-oa3-client`: the VEN enrols itself, is told by webhook, polls and reports.

Run by that client's own Python with JSON on stdin: {url, bl: [id, secret], ven: [id, secret], other: [id, secret]}.
"""

import json
import sys

from openadr3_client import BlClient, VenClient

given = json.load(sys.stdin)


def client(kind, name):
    return kind(url=given["url"], client_id=given[name][0], client_secret=given[name][1])


with client(BlClient, "bl") as bl, client(VenClient, "ven") as ven, client(VenClient, "other") as other:
    ven.register("laundry")
    program = bl.create_program({"programName": "noon surplus"}).json()
    hook = ven.add_webhook(host="127.0.0.1", bearer_token="s3cret")
    hook.start()
    ven.subscribe(["noon surplus"], ["EVENT"], ["CREATE", "UPDATE", "DELETE"], hook)
    body = {
        "programID": program["id"],
        "eventName": "use more",
        "intervalPeriod": {"start": "2026-11-28T12:00:00Z", "duration": "PT15M"},
        "intervals": [{"id": 0, "payloads": [{"type": "DISPATCH_SETPOINT_RELATIVE", "values": [7.5]}]}],
    }
    event = bl.create_event(body).json()
    hidden = bl.create_event(body | {"eventName": "for others", "targets": ["feeder-9"]}).json()
    polled = ven.poll_events("noon surplus")
    usage = {"id": 0, "payloads": [{"type": "USAGE", "values": [1.875]}]}
    report = {
        "eventID": event["id"],
        "clientName": "laundry",
        "resources": [{"resourceName": "AGGREGATED_REPORT", "intervals": [usage]}],
    }
    reported = ven.create_report(report)
    bl.update_event(event["id"], body | {"eventName": "use less"})
    bl.delete_event(event["id"])
    told = [message.payload for message in hook.await_messages(3, timeout=20)]
    json.dump(
        {
            "enrolled": other.find_ven_by_name("laundry") is None and bl.find_ven_by_name("laundry").id == ven.ven_id,
            "polled": [each.event_name for each in polled],
            "setpoint": polled[0].intervals[0].payloads[0].values[0],
            "told": [[each.operation, each.object.event_name] for each in told],
            "reported": [reported.status_code, reported.json()["clientID"]],
            "hidden": ven.get_event_by_id(hidden["id"]).status_code,
            "forbidden": ven.create_program({"programName": "mine"}).status_code,
            "malformed": bl.create_event({"eventName": "of no program"}).status_code,
            "notifiers": ven.discover_notifiers(),
            "gone": ven.get_event_by_id(event["id"]).status_code,
        },
        sys.stdout,
    )
