"""A VEN sees its own objects and what its targets allow, business logic sees all; what one may not see is not there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.vtn import Knocking, TestVtn

Json = dict[str, Any]


def names(found: list[Json], field: str = "eventName") -> set[str]:
    return {each[field] for each in found}


async def scene(vtn: TestVtn) -> Json:
    """Events for everybody, for the north, for both halves, for the south; the building lies in the north."""
    await vtn.granted("building", "north")
    program = await vtn.program()
    await vtn.event(program, eventName="all")
    await vtn.event(program, "north", eventName="north")
    await vtn.event(program, "north", "south", eventName="both")
    await vtn.event(program, "south", eventName="south")
    return program


async def test_events__of_a_ven__are_those_without_targets_and_those_it_is_granted(vtn: TestVtn) -> None:
    await scene(vtn)
    assert names(await vtn.building.get("/events")) == {"all", "north", "both"}
    assert names(await vtn.battery.get("/events")) == {"all"}, "it has no ven, and so no target"
    assert names(await vtn.utility.get("/events")) == {"all", "north", "both", "south"}


async def test_events__asked_for_by_target__are_those_of_targets_that_are_granted_as_well(vtn: TestVtn) -> None:
    await scene(vtn)
    assert names(await vtn.building.get("/events", targets=["north", "south"])) == {"north", "both"}
    assert await vtn.building.get("/events", targets="south") == []
    assert await vtn.battery.get("/events", targets="north") == []
    assert names(await vtn.utility.get("/events", targets="south")) == {"both", "south"}


async def test_events__shown_to_a_ven__hide_the_targets_of_others(vtn: TestVtn) -> None:
    await scene(vtn)
    shown = {event["eventName"]: event.get("targets") for event in await vtn.building.get("/events")}
    assert shown == {"all": None, "north": ["north"], "both": ["north"]}
    both = next(event for event in await vtn.utility.get("/events") if event["eventName"] == "both")
    assert both["targets"] == ["north", "south"]
    assert (await vtn.building.get(f"/events/{both['id']}"))["targets"] == ["north"]


async def test_event__that_a_ven_is_not_granted__is_none_to_it(vtn: TestVtn) -> None:
    await scene(vtn)
    south = next(event for event in await vtn.utility.get("/events") if event["eventName"] == "south")
    assert await vtn.building.refused("GET", f"/events/{south['id']}") == 404
    report = {"eventID": south["id"], "clientName": "b", "resources": []}
    assert await vtn.building.refused("POST", "/reports", report) == 409, "as if there were none"


async def test_events__granted_by_a_resource__are_seen_until_it_goes(vtn: TestVtn) -> None:
    await scene(vtn)
    ven = (await vtn.building.get("/vens"))[0]
    body = {"objectType": "BL_RESOURCE_REQUEST", "resourceName": "roof", "venID": ven["id"], "clientID": "building"}
    roof = await vtn.utility.make("/resources", body | {"targets": ["south"]})
    assert names(await vtn.building.get("/events")) == {"all", "north", "both", "south"}
    assert (await vtn.utility.ask("DELETE", f"/resources/{roof['id']}")).status_code == 200
    assert names(await vtn.building.get("/events")) == {"all", "north", "both"}


async def own_of(client: Knocking, program: Json, event: Json) -> dict[str, Json]:
    """One object of each kind that a VEN may make."""
    ven = await client.make("/vens", {"objectType": "VEN_VEN_REQUEST", "venName": client.id})
    resource = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": ven["id"]}
    report = {"eventID": event["id"], "clientName": client.id, "resources": []}
    subscription = {"clientName": client.id, "programID": program["id"], "objectOperations": []}
    return {
        "vens": ven,
        "resources": await client.make("/resources", resource),
        "reports": await client.make("/reports", report),
        "subscriptions": await client.make("/subscriptions", subscription),
    }


async def test_own_objects__of_a_ven__are_seen_by_it_and_business_logic_alone(vtn: TestVtn) -> None:
    program = await vtn.program()
    made = await own_of(vtn.building, program, await vtn.event(program))
    for path, thing in made.items():
        assert thing["clientID"] == "building"
        for sees in (vtn.building, vtn.utility):
            assert [each["id"] for each in await sees.get(f"/{path}")] == [thing["id"]]
            assert await sees.get(f"/{path}/{thing['id']}") == thing
        assert await vtn.battery.get(f"/{path}") == []
        for method in ("GET", "DELETE"):
            assert await vtn.battery.refused(method, f"/{path}/{thing['id']}") == 404
    foreign = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": made["vens"]["id"]}
    assert await vtn.battery.refused("POST", "/resources", foreign) == 404
    assert await vtn.battery.refused("PUT", f"/resources/{made['resources']['id']}", foreign) == 404


@pytest.mark.parametrize("path", ["/programs", "/events"])
async def test_programs_and_events__written_by_a_ven__are_refused(vtn: TestVtn, path: str) -> None:
    program = await vtn.program()
    event = await vtn.event(program)
    body = {"programName": "mine", "programID": program["id"]}
    id_ = program["id"] if path == "/programs" else event["id"]
    assert await vtn.building.refused("POST", path, body) == 403
    assert await vtn.building.refused("PUT", f"{path}/{id_}", body) == 403
    assert await vtn.building.refused("DELETE", f"{path}/{id_}") == 403


async def test_reports__written_by_business_logic__are_refused(vtn: TestVtn) -> None:
    event = await vtn.event(await vtn.program())
    body = {"eventID": event["id"], "clientName": "utility", "resources": []}
    assert await vtn.utility.refused("POST", "/reports", body) == 403
    mine = await vtn.building.make("/reports", body)
    assert await vtn.utility.refused("PUT", f"/reports/{mine['id']}", body) == 403


async def test_ven__that_grants_itself_targets__is_refused_and_keeps_what_it_has(vtn: TestVtn) -> None:
    ven = await vtn.granted("building", "north")
    path = f"/vens/{ven['id']}"
    as_bl = {"objectType": "BL_VEN_REQUEST", "venName": "VEN building", "clientID": "building", "targets": ["south"]}
    assert await vtn.building.refused("PUT", path, as_bl) == 403
    own = {"objectType": "VEN_VEN_REQUEST", "venName": "renamed", "targets": ["south"]}
    changed = (await vtn.building.ask("PUT", path, own)).json()
    assert (changed["venName"], changed["targets"]) == ("renamed", ["north"])


async def test_ven__that_another_client_gets__takes_its_resources_along(vtn: TestVtn) -> None:
    ven = await vtn.granted("building", "north")
    pump = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": ven["id"]}
    await vtn.building.make("/resources", pump)
    body = {"objectType": "BL_VEN_REQUEST", "venName": "VEN building", "clientID": "battery", "targets": ["north"]}
    assert (await vtn.utility.ask("PUT", f"/vens/{ven['id']}", body)).status_code == 200
    assert await vtn.building.get("/resources") == []
    assert names(await vtn.battery.get("/resources"), "resourceName") == {"pump"}
