"""Attacks over raw HTTP on a real server: each must fail, and the server must go on."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.look import refusals
from benchmarks.server.server_process import ROOT, ServerProcess
from tests.app.server.raw import API, Raw, named, png

PASSWD = "/etc/passwd"


@pytest.fixture(scope="module")
def raw(served: ServerProcess) -> Raw:
    return Raw(served.url)


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody may be sent to: its address, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/photo.png", asked
    server.shutdown()
    server.server_close()


def get_exactly(raw: Raw, path: str) -> httpx.Response:
    """Send a path as it stands: clients tidy up dots otherwise."""
    request = raw.http.build_request("GET", "/")
    request.url = request.url.copy_with(raw_path=path.encode("latin-1"))
    return raw.http.send(request)


@pytest.mark.parametrize("prefix", ["/static/", "/assets/", "/svelte/", f"{API}/file=", "/"])
@pytest.mark.parametrize(
    "dots", ["../" * 12, "..%2f" * 12, "%2e%2e/" * 12, "%252e%252e%252f" * 12, "..%5c" * 12, "....//" * 12, "/"]
)
def test_dots_do_not_lead_out_of_the_page(raw: Raw, prefix: str, dots: str) -> None:
    answer = get_exactly(raw, f"{prefix}{dots}etc/passwd")
    assert answer.status_code in (400, 403, 404), answer.status_code
    assert "root:" not in answer.text


def test_no_file_of_the_machine_can_be_read(raw: Raw) -> None:
    own = raw.uploaded("own.png", png())
    for path in (
        PASSWD,
        f"/{PASSWD}",
        f"file://{PASSWD}",
        f"{own}/../../../../../../../..{PASSWD}",
        f"{Path(own).parent}/../../..{PASSWD}",
        str(ROOT / "checkpoints" / "lite.safetensors"),
        str(ROOT / "app.py"),
        "app.py",
        "/proc/self/environ",
        f"{own}%00.png",
        str(Path(own).parent),
    ):
        answer = get_exactly(raw, f"{API}/file={quote(path, safe='/%:')}")
        assert answer.status_code in (400, 403, 404), path
        assert "root:" not in answer.text
    assert raw.http.get(f"{API}/file={own}").content == png()


def test_no_file_of_the_machine_is_taken_by_any_field(raw: Raw) -> None:
    own = raw.uploaded("own.png", png())
    fields = {component["id"]: component["type"] for component in raw.config["components"]}
    tried = 0
    for event in raw.events:
        for place, field in enumerate(event["inputs"]):
            for path in (PASSWD, f"{own}/../../../../../..{PASSWD}", str(ROOT / "assets/examples/coast.jpg")):
                for value in (named(path), {"path": path}, [named(path)], {"image": named(path), "caption": None}):
                    data = [None] * len(event["inputs"])
                    data[place] = value
                    answer = raw.join(data, event["id"])
                    assert answer.status_code == 403, (fields[field], value)
                    assert answer.json() == {"detail": refusals.FOREIGN_FILE}
                    tried += 1
    assert tried > 100


def test_no_file_of_the_machine_is_taken_by_the_public_endpoint(raw: Raw) -> None:
    for body in (
        {"data": [named(PASSWD), "auto", 1.0, "auto"]},
        {"data": [{"path": PASSWD}, "auto", 1.0, "auto"]},
        {"data": [named(PASSWD, is_stream=True), "auto", 1.0, "auto"]},
    ):
        assert raw.http.post(f"{API}/call/restore", json=body).status_code == 403
    assert raw.http.post(f"{API}/call/v2/restore", json={"photo": named(PASSWD)}).status_code == 403
    # A path as a bare string is no file to Gradio either: the event fails, and nothing is read.
    event = raw.http.post(f"{API}/call/restore", json={"data": [PASSWD, "auto", 1.0, "auto"]})
    if event.status_code == 200:
        told = raw.http.get(f"{API}/call/restore/{event.json()['event_id']}").text
        assert "event: complete" not in told
        assert "root:" not in told


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/run/restore"),
        ("POST", f"{API}/api/predict"),
        ("POST", f"{API}/call/restore_photo"),
        ("POST", f"{API}/call/write_download"),
        ("POST", f"{API}/component_server"),
        ("POST", f"{API}/process_recording"),
        ("POST", f"{API}/vibe-edit"),
        ("POST", f"{API}/stream/x"),
        ("POST", "/login"),
        ("GET", f"{API}/vibe-code"),
        ("GET", f"{API}/deep_link?session_hash=x"),
        ("GET", f"{API}/dev/reload"),
        ("GET", f"{API}/runs"),
        ("GET", f"{API}/token"),
        ("GET", f"{API}/custom_component/x/client/y/z"),
        ("GET", f"{API}/proxy=https://x.hf.space/"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/pwa_icon/100000"),
        ("PUT", f"{API}/upload"),
    ],
)
def test_private_doors_do_not_exist(raw: Raw, method: str, path: str) -> None:
    answer = raw.http.request(method, path, json={"data": [], "session_hash": "x"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": refusals.NO_SUCH_ADDRESS}


def test_nonsense_for_private_events_is_refused_without_a_word_about_the_inside(raw: Raw) -> None:
    for number, event in enumerate(raw.events):
        for nonsense in ("../../etc", -1e308, {"a": [1]}):
            session = f"nonsense{number}"
            answer = raw.join([nonsense] * len(event["inputs"]), event["id"], session, event_data={"index": nonsense})
            if answer.status_code == 200:
                told = json.dumps(raw.last_message(session))
                assert "Traceback" not in told
                assert str(ROOT) not in told
    assert raw.join([], 10_000).status_code == 400
    deep: list = []
    for _ in range(900):
        deep = [deep]
    assert raw.join([deep, "auto", 1.0, "auto"]).status_code in (200, 400)
    assert raw.http.post(f"{API}/queue/join", content=b"{" * 9000).status_code == 400
    assert raw.http.get("/health").json()["status"] == "ok"


def test_uploads_are_bounded_one_by_one_together_and_unsaid(raw: Raw) -> None:
    megabyte = b"\xff" * 1_000_000
    large = raw.upload("large.png", megabyte * 2 + b"x")
    assert (large.status_code, large.json()["detail"]) == (413, refusals.file_too_large(2))
    several = [("files", (f"{number}.png", megabyte)) for number in range(4)]
    together = raw.http.post(f"{API}/upload", files=several)
    assert (together.status_code, together.json()["detail"]) == (413, refusals.upload_too_large(3))
    unsaid = raw.http.post(
        f"{API}/upload", content=iter([b"--x"]), headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert unsaid.status_code == 411
    body = raw.http.post(f"{API}/queue/join", content=b'{"data": ["' + megabyte + b'"]}')
    assert (body.status_code, body.json()["detail"]) == (413, refusals.BODY_TOO_LARGE)


def test_uploads_that_nobody_uses_do_not_fill_the_disk(raw: Raw) -> None:
    sent, paths = 0, []
    while sent < 60:
        answer = raw.upload("unused.png", bytes([sent]) * 1_900_000)
        sent += 1
        if answer.status_code != 200:
            break
        paths += answer.json()
    assert (answer.status_code, answer.json()["detail"]) == (507, refusals.DISK_FULL)
    assert answer.headers["Retry-After"]
    assert raw.http.get("/health").json()["files_mb"] <= 60
    for path in paths:  # what an hour would do
        Path(path).unlink()
    answer = raw.join([named(paths[0]), "auto", 1.0, "auto"])
    assert (answer.status_code, answer.json()["detail"]) == (410, refusals.GONE)


def test_the_server_fetches_no_address_for_anybody(raw: Raw, elsewhere: tuple[str, list[str]]) -> None:
    address, asked = elsewhere
    for value in (named(address), {"path": address}, named(None, url=address), {"url": address}):
        assert raw.join([value, "auto", 1.0, "auto"]).status_code == 403
    own = raw.uploaded("own.png", png())
    session = "with-url"
    assert raw.join([named(own, url=address), "auto", 1.0, "auto"], session=session).status_code == 200
    assert raw.last_message(session)["success"], "the uploaded file is used, and the address ignored"
    for path in (f"{API}/file={address}", f"{API}/proxy={address}", f"{API}/file={quote(address, safe='')}"):
        assert raw.http.get(path).status_code in (403, 404)
    assert asked == []


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>.png",
        '"><script>alert(1)</script>.png',
        "../../evil.png",
        "a\r\nSet-Cookie: x=1.png",
    ],
)
def test_markup_in_a_name_stays_text(raw: Raw, name: str) -> None:
    path = raw.uploaded(name, png(colour="olive"))
    message = raw.restore(path, orig_name=name)
    assert message["success"]
    result = message["output"]["data"][0]
    answer = raw.http.get(f"{API}/file={quote(result['path'])}")
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    for text in (Path(path).name, Path(result["path"]).name, result["orig_name"]):
        assert not set('<>"\r\n/\\') & set(text), text
    broken = raw.restore(raw.uploaded(name, b"no photo"), orig_name=name)
    assert not broken["success"]
    assert "<" not in broken["output"]["error"]


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "code.js", "page.xhtml"])
def test_an_upload_never_runs_in_a_browser(raw: Raw, name: str) -> None:
    path = raw.uploaded(name, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    answer = raw.http.get(f"{API}/file={path}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_other_sites_can_neither_ask_nor_read(raw: Raw) -> None:
    evil = {"Origin": "https://evil.example"}
    for host in (None, "opir.example"):
        headers = evil if host is None else {**evil, "Host": host}
        answer = raw.upload("own.png", png(), headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (403, refusals.FOREIGN_SITE)
        assert raw.http.get("/config", headers=headers).status_code == 403
    assert "access-control-allow-origin" not in raw.http.get("/config", headers=evil).headers
    assert raw.http.get("/config", headers={"Origin": "null"}).status_code == 403
    asked_first = {**evil, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in raw.http.options(f"{API}/upload", headers=asked_first).headers
    forged = {**evil, "X-Forwarded-Host": "evil.example"}
    assert raw.http.get("/config", headers=forged).status_code == 403
    own = str(raw.http.base_url).rstrip("/")
    assert raw.upload("own.png", png(), headers={"Origin": own}).status_code == 200
