"""A whole event by `openadr3-client`: business logic calls, the VEN polls, reports, and is refused what is not its own.

Run by that client's own Python with JSON on stdin: {url, bl: [id, secret], ven: [id, secret], other: [id, secret]}.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # on this machine, without TLS

from openadr3_client._models.common.interval import Interval
from openadr3_client._models.common.interval_period import IntervalPeriod
from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory
from openadr3_client.oadr310._vtn.interfaces.filters import PaginationFilter, TargetFilter
from openadr3_client.oadr310.models.event.event import EventUpdate, NewEvent
from openadr3_client.oadr310.models.event.event_payload import EventPayload, EventPayloadDescriptor, EventPayloadType
from openadr3_client.oadr310.models.program.program import NewProgram
from openadr3_client.oadr310.models.report.report import NewReport, ReportResource
from openadr3_client.oadr310.models.report.report_payload import ReportDescriptor, ReportPayload, ReportPayloadType
from openadr3_client.oadr310.models.resource.resource import NewResourceVenRequest
from openadr3_client.oadr310.models.ven.ven import NewVenBlRequest
from openadr3_client.ven.http_factory import VirtualEndNodeHttpClientFactory
from openadr3_client.version import OADRVersion
from requests import HTTPError

given = json.load(sys.stdin)
COMMON = {"vtn_base_url": given["url"], "allow_insecure_http": True, "version": OADRVersion.OADR_310}
START = datetime(2026, 11, 28, 17, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def as_ven(name):
    id_, secret = given[name]
    return VirtualEndNodeHttpClientFactory.create_http_ven_client(client_id=id_, client_secret=secret, **COMMON)


def status_of(call, *arguments):
    try:
        call(*arguments)
    except HTTPError as refused:
        return refused.response.status_code
    return 200


bl = BusinessLogicHttpClientFactory.create_http_bl_client(
    client_id=given["bl"][0], client_secret=given["bl"][1], **COMMON
)
ven, other = as_ven("ven"), as_ven("other")

enrolled = bl.vens.create_ven(
    NewVenBlRequest(ven_name="bakery", clientID=given["ven"][0], targets=("feeder-7",), attributes=None)
)
program = bl.programs.create_program(NewProgram(program_name="evening peak", targets=("feeder-7",)))
own = ven.vens.get_vens(None, None, None)
resource = ven.resources.create_resource(NewResourceVenRequest(resource_name="oven", venID=own[0].id))
event = bl.events.create_event(
    NewEvent(
        programID=program.id,
        event_name="shed",
        targets=("feeder-7",),
        payload_descriptors=(
            EventPayloadDescriptor(payload_type=EventPayloadType.DISPATCH_SETPOINT_RELATIVE, units="KW"),
        ),
        report_descriptors=(ReportDescriptor(payload_type=ReportPayloadType.USAGE),),
        interval_period=IntervalPeriod(start=START, duration=QUARTER),
        intervals=tuple(
            Interval(id=n, payloads=(EventPayload(type=EventPayloadType.DISPATCH_SETPOINT_RELATIVE, values=(-12.5,)),))
            for n in range(4)
        ),
    )
)
polled = ven.events.get_events(TargetFilter(targets=["feeder-7"]), PaginationFilter(skip=0, limit=10), program.id)
usage = Interval(id=0, payloads=(ReportPayload(type=ReportPayloadType.USAGE, values=(3.25,)),))
report = ven.reports.create_report(
    NewReport(
        eventID=polled[0].id,
        client_name="bakery",
        resources=(
            ReportResource(
                resource_name="oven", interval_period=IntervalPeriod(start=START, duration=QUARTER), intervals=(usage,)
            ),
        ),
    )
)
cancelled = bl.events.update_event_by_id(
    event.id, EventUpdate(programID=program.id, event_name="cancelled", targets=("feeder-7",))
)
seen = bl.reports.get_reports(None, program.id, event.id, None)
json.dump(
    {
        "enrolled": own[0].id == enrolled.id and own[0].targets == ("feeder-7",),
        "resource": resource.client_id,
        "polled": [each.event_name for each in polled],
        "setpoints": [payload.values[0] for each in polled[0].intervals for payload in each.payloads],
        "reported": seen[0].id == report.id and seen[0].resources[0].intervals[0].payloads[0].values[0],
        "cancelled": cancelled.event_name,
        "others": [len(other.events.get_events(None, None, None)), status_of(other.events.get_event_by_id, event.id)],
        "twice": status_of(bl.programs.create_program, NewProgram(program_name="evening peak")),
        "gone": bl.events.delete_event_by_id(event.id).id == event.id
        and status_of(ven.events.get_event_by_id, event.id),
    },
    sys.stdout,
)
