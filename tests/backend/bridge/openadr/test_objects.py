"""Objects are made, found, changed and deleted, and refused with the statuses of the specification."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gridweave.services.vtn.clients import Role
from tests.support.vtn import TestVtn, running_vtn

Json = dict[str, Any]
NO_ID = "00000000-0000-4000-8000-000000000000"


async def test_program__made__has_what_was_said_and_what_the_vtn_adds(vtn: TestVtn) -> None:
    body = {
        "programName": "shed",
        "intervalPeriod": {"start": "2026-11-28T10:00:00Z", "duration": "PT1H"},
        "programDescriptions": [{"URL": "https://utility.example/shed"}],
        "payloadDescriptors": [
            {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "SIMPLE", "units": None},
            {"objectType": "REPORT_PAYLOAD_DESCRIPTOR", "payloadType": "USAGE", "confidence": 100},
        ],
        "attributes": [{"type": "LOCATION", "values": [1, 1.5, True, "x", {"x": 1.0, "y": 2.0}]}],
        "id": "mine",
        "createdDateTime": "1999-01-01T00:00:00Z",
        "unknown": 1,
    }
    made = await vtn.utility.make("/programs", body)
    assert made["objectType"] == "PROGRAM"
    assert made["id"] != "mine"
    assert made["createdDateTime"] == made["modificationDateTime"] > "2026"
    assert made["attributes"] == body["attributes"], "each value of its own kind"
    assert "units" not in made["payloadDescriptors"][0]
    assert "unknown" not in made
    assert await vtn.utility.get(f"/programs/{made['id']}") == made


async def test_program__changed__is_what_was_said_last(vtn: TestVtn) -> None:
    made = await vtn.program("shed", "north")
    path = f"/programs/{made['id']}"
    await asyncio.sleep(0.005)
    changed = (await vtn.utility.ask("PUT", path, {"programName": "shift"})).json()
    assert (changed["id"], changed["programName"], changed.get("targets")) == (made["id"], "shift", None)
    assert changed["createdDateTime"] == made["createdDateTime"] < changed["modificationDateTime"]
    assert await vtn.utility.get(path) == changed


async def test_program__deleted__takes_events_and_reports_along(vtn: TestVtn) -> None:
    program, other = await vtn.program(), await vtn.program("other")
    event, kept = await vtn.event(program), await vtn.event(other)
    report = await vtn.building.make("/reports", {"eventID": event["id"], "clientName": "b", "resources": []})
    gone = await vtn.utility.ask("DELETE", f"/programs/{program['id']}")
    assert (gone.status_code, gone.json()) == (200, program)
    for path in (f"/programs/{program['id']}", f"/events/{event['id']}", f"/reports/{report['id']}"):
        assert await vtn.utility.refused("GET", path) == 404
    assert [each["id"] for each in await vtn.utility.get("/events")] == [kept["id"]]


@pytest.mark.parametrize("path", ["programs", "events", "reports", "subscriptions", "vens", "resources"])
async def test_object__that_does_not_exist__is_404(vtn: TestVtn, path: str) -> None:
    for client in (vtn.utility, vtn.building):
        assert await client.refused("GET", f"/{path}/{NO_ID}") == 404
    assert await vtn.utility.refused("GET", f"/{path}/no%20id") == 400
    assert await vtn.stranger.refused("GET", f"/{path}") == 401


async def test_name__that_another_has__is_409_and_changes_nothing(vtn: TestVtn) -> None:
    first, second = await vtn.program("one"), await vtn.program("two")
    assert await vtn.utility.refused("POST", "/programs", {"programName": "one"}) == 409
    assert await vtn.utility.refused("PUT", f"/programs/{second['id']}", {"programName": "one"}) == 409
    assert (await vtn.utility.ask("PUT", f"/programs/{first['id']}", {"programName": "one"})).status_code == 200
    assert [each["programName"] for each in await vtn.utility.get("/programs")] == ["one", "two"]
    mine = {"objectType": "VEN_VEN_REQUEST", "venName": "house"}
    ven = await vtn.building.make("/vens", mine)
    assert await vtn.battery.refused("POST", "/vens", mine) == 409
    pump = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": ven["id"]}
    await vtn.building.make("/resources", pump)
    assert await vtn.building.refused("POST", "/resources", pump) == 409
    other = await vtn.battery.make("/vens", mine | {"venName": "other"})
    await vtn.battery.make("/resources", pump | {"venID": other["id"]})


async def test_event__of_no_program__is_409(vtn: TestVtn) -> None:
    assert await vtn.utility.refused("POST", "/events", {"programID": NO_ID}) == 409
    subscription = {"clientName": "x", "programID": NO_ID, "objectOperations": []}
    assert await vtn.utility.refused("POST", "/subscriptions", subscription) == 409
    assert await vtn.building.refused("POST", "/reports", {"eventID": NO_ID, "clientName": "x", "resources": []}) == 409
    resource = {"objectType": "VEN_RESOURCE_REQUEST", "resourceName": "pump", "venID": NO_ID}
    assert await vtn.building.refused("POST", "/resources", resource) == 404


MALFORMED: list[tuple[str, Any]] = [
    ("/programs", None),
    ("/programs", []),
    ("/programs", {}),
    ("/programs", {"programName": ""}),
    ("/programs", {"programName": "x" * 129}),
    ("/programs", {"programName": "a\0b"}),
    ("/programs", {"programName": "x", "intervalPeriod": {"start": "soon"}}),
    ("/programs", {"programName": "x", "intervalPeriod": {"duration": "P"}}),
    ("/programs", {"programName": "x", "targets": [1]}),
    ("/programs", {"programName": "x", "targets": [""]}),
    ("/programs", {"programName": "x", "programDescriptions": [{}]}),
    ("/programs", {"programName": "x", "payloadDescriptors": [{"payloadType": "SIMPLE"}]}),
    ("/programs", {"programName": "x", "attributes": [{"type": "T", "values": [None]}]}),
    ("/events", {"eventName": "x"}),
    ("/events", {"programID": "no id"}),
    ("/events", {"programID": "x", "intervals": [{"id": 2**31, "payloads": []}]}),
    ("/events", {"programID": "x", "priority": -1}),
    ("/subscriptions", {"clientName": "x"}),
    ("/subscriptions", {"clientName": "x", "objectOperations": [{"objects": ["X"], "operations": []}]}),
    ("/vens", {"venName": "x"}),
    ("/vens", {"objectType": "VEN_VEN_REQUEST", "venName": "x"}),
    ("/vens", {"objectType": "BL_VEN_REQUEST", "venName": "x"}),
    ("/resources", {"objectType": "BL_RESOURCE_REQUEST", "resourceName": "x"}),
]


@pytest.mark.parametrize(("path", "body"), MALFORMED)
async def test_body__without_what_must_be_there_or_wrong__is_400(vtn: TestVtn, path: str, body: Any) -> None:
    assert await vtn.utility.refused("POST", path, body) == 400


async def test_method__that_a_path_does_not_take__is_405_and_an_unknown_path_404(vtn: TestVtn) -> None:
    for method, path in (("DELETE", "/programs"), ("POST", f"/programs/{NO_ID}"), ("PATCH", "/events")):
        answer = await vtn.utility.ask(method, path)
        assert (answer.status_code, answer.json()["status"]) == (405, 405)
        assert "GET" in answer.headers["allow"]
    assert await vtn.utility.refused("GET", "/nowhere") == 404


async def test_page__by_skip_and_limit__is_what_it_says_in_the_order_of_creation(vtn: TestVtn) -> None:
    program = await vtn.program()
    for number in range(53):
        await vtn.event(program, eventName=str(number))
    get = vtn.utility.get
    assert [each["eventName"] for each in await get("/events")] == [str(number) for number in range(50)]
    assert [each["eventName"] for each in await get("/events", skip=50)] == ["50", "51", "52"]
    assert [each["eventName"] for each in await get("/events", skip=7, limit=2)] == ["7", "8"]
    assert await get("/events", limit=0) == []
    for wrong in ({"limit": 51}, {"limit": -1}, {"skip": -1}, {"limit": "x"}, {"skip": 2**31}):
        assert await vtn.utility.refused("GET", "/events", **wrong) == 400


async def test_events__that_are_active__are_those_not_over(vtn: TestVtn) -> None:
    program, other = await vtn.program(), await vtn.program("other")
    past, ahead = "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
    await vtn.event(program, eventName="over", intervalPeriod={"start": past, "duration": "PT1H"})
    await vtn.event(program, eventName="ahead", intervalPeriod={"start": ahead, "duration": "PT1H"})
    await vtn.event(program, eventName="open", intervalPeriod={"start": past, "duration": "P9999Y"})
    await vtn.event(other, eventName="untimed")
    get = vtn.building.get
    assert [each["eventName"] for each in await get("/events", active=True)] == ["ahead", "open", "untimed"]
    assert len(await get("/events", active=False)) == 4
    assert [each["eventName"] for each in await get("/events", programID=other["id"])] == ["untimed"]


async def test_search__by_what_the_specification_names__finds_it(vtn: TestVtn) -> None:
    program, other = await vtn.program(), await vtn.program("other")
    event, elsewhere = await vtn.event(program), await vtn.event(other)
    for each, name in ((event, "a"), (elsewhere, "b")):
        await vtn.building.make("/reports", {"eventID": each["id"], "clientName": name, "resources": []})
    for query in ({"eventID": event["id"]}, {"programID": program["id"]}, {"clientName": "a"}):
        assert [each["eventID"] for each in await vtn.utility.get("/reports", **query)] == [event["id"]]
    assert await vtn.utility.get("/reports", programID=program["id"], clientName="b") == [], "all must hold"
    wish = {"operations": ["CREATE"], "callbackUrl": "https://x.example/"}
    vtn.vtn.callbacks._echo = False
    for client, kinds in (("a", ["EVENT"]), ("EVENT", ["VEN"])):
        body = {"clientName": client, "objectOperations": [wish | {"objects": kinds}]}
        await vtn.utility.make("/subscriptions", body)
    found = await vtn.utility.get("/subscriptions", objects=["EVENT", "PROGRAM"])
    assert [each["clientName"] for each in found] == ["a"]
    assert len(await vtn.utility.get("/subscriptions", objects=["EVENT", "VEN"], limit=1, skip=1)) == 1
    ven = await vtn.granted("building", "north")
    assert await vtn.utility.get("/vens", venName="VEN building", targets="north") == [ven]
    assert await vtn.utility.get("/vens", targets="south") == []


async def test_ven__with_a_name_of_its_own__enrols_by_no_other(vtn: TestVtn) -> None:
    vtn.secrets["kiosk"] = vtn.vtn.clients.add("kiosk", Role.VEN, "KIOSK 7")
    body = {"objectType": "VEN_VEN_REQUEST", "venName": "KIOSK 8"}
    assert await vtn.kiosk.refused("POST", "/vens", body) == 403
    await vtn.kiosk.make("/vens", body | {"venName": "KIOSK 7"})


async def test_objects__of_one_ven__are_so_many_at_most(tmp_path: Any) -> None:
    async with running_vtn(tmp_path, vtn_most_objects=2) as vtn:
        event = await vtn.event(await vtn.program())
        body = {"eventID": event["id"], "clientName": "x", "resources": []}
        for _ in range(2):
            await vtn.building.make("/reports", body)
        assert await vtn.building.refused("POST", "/reports", body) == 403
        await vtn.battery.make("/reports", body)


async def test_objects__after_a_restart__are_all_there(tmp_path: Any) -> None:
    async with running_vtn(tmp_path) as vtn:
        event, secret = await vtn.event(await vtn.program(), "north"), vtn.secrets["utility"]
        token = vtn.utility.token
    async with running_vtn(tmp_path) as vtn:
        headers = {"Authorization": f"Bearer {token}"}
        assert (await vtn.http.get(f"/events/{event['id']}", headers=headers)).json() == event
        vtn.secrets["utility"] = secret
        assert await vtn.utility.get("/events") == [event]


async def test_notifiers__asked_for__are_webhooks_alone(vtn: TestVtn) -> None:
    assert await vtn.building.get("/notifiers") == {"WEBHOOK": True}
    assert await vtn.building.refused("GET", "/notifiers/mqtt/topics/programs") == 404
    assert await vtn.building.refused("GET", "/notifiers/mqtt/topics/events") == 403
    assert await vtn.utility.refused("GET", "/notifiers/mqtt/topics/events") == 404
