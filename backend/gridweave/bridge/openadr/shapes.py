"""What OpenADR 3.1 clients send and are shown: programs, events, reports, subscriptions, vens, resources."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from gridweave.bridge.openadr.fields import Instant, Int32, Name, ObjectId, Shape, Span, Text, Uri, Value

__all__ = [
    "Event",
    "EventRequest",
    "Notifiers",
    "ObjectType",
    "Problem",
    "Program",
    "ProgramRequest",
    "Report",
    "ReportRequest",
    "Resource",
    "ResourceRequest",
    "Subscription",
    "SubscriptionRequest",
    "Token",
    "TokenError",
    "TokenServer",
    "Ven",
    "VenRequest",
]


class ObjectType(StrEnum):
    """Of the objects that have an address."""

    PROGRAM = "PROGRAM"
    EVENT = "EVENT"
    REPORT = "REPORT"
    SUBSCRIPTION = "SUBSCRIPTION"
    VEN = "VEN"
    RESOURCE = "RESOURCE"


class Metadata(Shape):
    """What the VTN says of every object."""

    id: ObjectId
    created_date_time: Instant
    modification_date_time: Instant


class ValuesMap(Shape):
    """Values of a type, which an enumeration of the Definitions names, or the parties among themselves."""

    type: Name
    values: list[Value]


class IntervalPeriod(Shape):
    """When something begins, how long it lasts, and within which time of it clients begin at random."""

    start: Instant | None = None
    duration: Span | None = None
    randomize_start: Span | None = None


class Interval(Shape):
    """Payloads of a span of time. The id is the client's own number of it."""

    id: Int32
    interval_period: IntervalPeriod | None = None
    payloads: list[ValuesMap]


class EventPayloadDescriptor(Shape):
    """How values in events are meant."""

    object_type: Literal["EVENT_PAYLOAD_DESCRIPTOR"]
    payload_type: Name
    units: Name | None = None
    currency: Text | None = None


class ReportPayloadDescriptor(Shape):
    """How values in reports are meant."""

    object_type: Literal["REPORT_PAYLOAD_DESCRIPTOR"]
    payload_type: Name
    reading_type: Name | None = None
    units: Name | None = None
    accuracy: Annotated[float, Field(allow_inf_nan=False)] | None = None
    confidence: Annotated[int, Field(ge=0, le=100, strict=True)] | None = None


class ReportDescriptor(Shape):
    """Asks for a report."""

    payload_type: Name
    reading_type: Name | None = None
    units: Name | None = None
    targets: list[Name] | None = None
    aggregate: bool | None = None
    start_interval: Int32 | None = None
    num_intervals: Int32 | None = None
    historical: bool | None = None
    frequency: Int32 | None = None
    repeat: Int32 | None = None
    report_intervals: Literal["INTERVALS", "SUB_INTERVALS", "OPEN_INTERVALS"] | None = None


class ProgramDescription(Shape):
    """Where a program is described."""

    url: Uri = Field(alias="URL")


_Descriptor = Annotated[EventPayloadDescriptor | ReportPayloadDescriptor, Field(discriminator="object_type")]


class ProgramRequest(Shape):
    """A program, as business logic says it."""

    program_name: Name
    interval_period: IntervalPeriod | None = None
    program_descriptions: list[ProgramDescription] | None = None
    payload_descriptors: list[_Descriptor] | None = None
    attributes: list[ValuesMap] | None = None
    targets: list[Name] | None = None


class Program(ProgramRequest, Metadata):
    """A program."""

    object_type: Literal[ObjectType.PROGRAM]


class EventRequest(Shape):
    """An event, as business logic says it."""

    program_id: ObjectId
    event_name: Text | None = None
    duration: Span | None = None
    priority: Annotated[int, Field(ge=0, strict=True)] | None = None
    targets: list[Name] | None = None
    report_descriptors: list[ReportDescriptor] | None = None
    payload_descriptors: list[EventPayloadDescriptor] | None = None
    interval_period: IntervalPeriod | None = None
    intervals: list[Interval] | None = None


class Event(EventRequest, Metadata):
    """An event."""

    object_type: Literal[ObjectType.EVENT]


class ResourceReport(Shape):
    """What is reported of one resource."""

    resource_name: Name
    interval_period: IntervalPeriod | None = None
    intervals: list[Interval]


class ReportRequest(Shape):
    """A report, as a VEN says it."""

    event_id: ObjectId
    client_name: Name
    report_name: Text | None = None
    payload_descriptors: list[ReportPayloadDescriptor] | None = None
    resources: list[ResourceReport]


class Report(ReportRequest, Metadata):
    """A report."""

    object_type: Literal[ObjectType.REPORT]
    client_id: Name


class ObjectOperation(Shape):
    """What to tell, and where. `bearerToken` goes with it."""

    objects: list[ObjectType]
    operations: list[Literal["READ", "CREATE", "UPDATE", "DELETE"]]
    callback_url: Uri
    bearer_token: Annotated[str, Field(max_length=4_096, pattern=r"^[\x21-\x7e]*$")] | None = None


class SubscriptionRequest(Shape):
    """A subscription, as its client says it."""

    client_name: Name
    program_id: ObjectId | None = None
    object_operations: Annotated[list[ObjectOperation], Field(max_length=16)]
    targets: list[Name] | None = None


class Subscription(SubscriptionRequest, Metadata):
    """A subscription."""

    object_type: Literal[ObjectType.SUBSCRIPTION]
    client_id: Name


class VenRequest(Shape):
    """A ven, as it says of itself or as business logic does, which adds clientID and targets."""

    object_type: Literal["VEN_VEN_REQUEST", "BL_VEN_REQUEST"]
    ven_name: Name
    client_id: Name | None = None
    targets: list[Name] | None = None
    attributes: list[ValuesMap] | None = None


class Ven(Metadata):
    """A ven."""

    object_type: Literal[ObjectType.VEN]
    client_id: Name
    ven_name: Name
    targets: list[Name] | None = None
    attributes: list[ValuesMap] | None = None


class ResourceRequest(Shape):
    """A resource of a ven, as it says itself or as business logic does, which adds clientID and targets."""

    object_type: Literal["VEN_RESOURCE_REQUEST", "BL_RESOURCE_REQUEST"]
    resource_name: Name
    ven_id: ObjectId
    client_id: Name | None = None
    targets: list[Name] | None = None
    attributes: list[ValuesMap] | None = None


class Resource(Metadata):
    """A resource of a ven."""

    object_type: Literal[ObjectType.RESOURCE]
    client_id: Name
    resource_name: Name
    ven_id: ObjectId
    targets: list[Name] | None = None
    attributes: list[ValuesMap] | None = None


class Problem(Shape):
    """Why a request was refused."""

    title: str
    status: int
    detail: str


class TokenServer(Shape):
    """Where tokens are given."""

    token_url: Uri = Field(alias="tokenURL")


class Token(Shape):
    """A bearer token, as RFC 6749 spells it."""

    access_token: str = Field(alias="access_token")
    token_type: Literal["Bearer"] = Field(alias="token_type")
    expires_in: int = Field(alias="expires_in")
    scope: str = Field(alias="scope")


class TokenError(Shape):
    """Why there is no token, as RFC 6749 says it."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type"]
    error_description: str = Field(alias="error_description")


class Notifiers(Shape):
    """How clients can be told."""

    webhook: bool = Field(alias="WEBHOOK")
