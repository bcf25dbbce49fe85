from __future__ import annotations

import httpx
import pytest

from gridweave.client.errors import ServiceError, ServiceUnavailable, UrlUnusable
from gridweave.client.transport import Transport

REFUSAL = {
    "error": {"name": "PriceOffGrid", "message": "use a multiple of 0.001", "args": {"tick": 1000}},
    "requestId": "r",
}


def transport(
    *answers: httpx.Response | Exception, attempts: int = 4
) -> tuple[Transport, list[float], list[httpx.Request]]:
    left, pauses, asked = list(answers), [], []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    http = httpx.Client(transport=httpx.MockTransport(handle))
    return Transport("http://service/", http=http, attempts=attempts, sleep=pauses.append), pauses, asked


def test_post__given_a_refusal__raises_it_by_name_with_its_arguments() -> None:
    made, pauses, _ = transport(httpx.Response(422, json=REFUSAL))
    with pytest.raises(ServiceError) as caught:
        made.post("/v1/orders", {})
    fault = caught.value
    assert (fault.name, fault.message, fault.arguments) == ("PriceOffGrid", "use a multiple of 0.001", {"tick": 1000})
    assert (fault.status, fault.request_id, pauses) == (422, "r", [])


def test_post__given_a_page_that_is_not_json__says_that_this_is_no_service() -> None:
    made, _, _ = transport(httpx.Response(200, text="<html>hello</html>"))
    with pytest.raises(ServiceError, match="Gridweave service"):
        made.post("/v1/orders", {})


def test_post__given_429_and_503__waits_as_long_as_it_is_told() -> None:
    busy = httpx.Response(429, headers={"Retry-After": "2"}, json=REFUSAL)
    away = httpx.Response(503, headers={"Retry-After": "5"}, json=REFUSAL)
    made, pauses, asked = transport(busy, away, httpx.Response(202, json={"ok": 1}))
    assert made.post("/v1/orders", {"a": 1}) == {"ok": 1}
    assert pauses == [2.0, 5.0]
    assert {request.content for request in asked} == {b'{"a":1}'}


def test_post__given_a_day_of_retry_after__does_not_wait_so_long() -> None:
    busy = httpx.Response(503, headers={"Retry-After": "86400"})
    made, pauses, _ = transport(busy, httpx.Response(200, json={}))
    made.post("/v1/orders", {})
    assert pauses == [30.0]


def test_get__when_the_service_stays_away__gives_up_and_says_where() -> None:
    made, pauses, _ = transport(*(httpx.ConnectError("refused") for _ in range(4)))
    with pytest.raises(ServiceUnavailable, match="http://service"):
        made.get("/v1/markets")
    assert pauses == [0.1, 0.2, 0.4]


def test_get__when_503_stays__is_unavailable_and_not_refused() -> None:
    made, _, _ = transport(*(httpx.Response(503, json=REFUSAL) for _ in range(4)))
    with pytest.raises(ServiceUnavailable) as caught:
        made.get("/v1/markets")
    assert caught.value.answered


def test_get__given_parameters__leaves_out_what_is_none_and_unescapes_from() -> None:
    made, _, asked = transport(httpx.Response(200, json={}))
    made.get("/v1/x", from_=3, to=None)
    assert str(asked[0].url) == "http://service/v1/x?from=3"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("localhost:8000/", "http://localhost:8000"),
        ("htp://service", "http://service"),
        ("http://", "http://HOST:PORT"),
        ("http:/service", "http://service"),
        ("http://service:port", "http://HOST:PORT"),
        ("", "http://HOST:PORT"),
    ],
)
def test_transport__given_what_is_no_address__says_what_to_write(given: str, meant: str) -> None:
    with pytest.raises(UrlUnusable, match=f"write {meant}"):
        Transport(given)
