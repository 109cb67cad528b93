"""Raw HTTP to a running page, as an attacker or a program without Gradio's client sends it."""

import io
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from PIL import Image

API = "/gradio_api"
PATIENCE = 300.0


class Raw:
    """One visitor without a browser."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=PATIENCE)
        self.config: dict[str, Any] = self.http.get("/config").json()
        self.events: list[dict[str, Any]] = self.config["dependencies"]
        self.restore_event = next(event["id"] for event in self.events if event["api_name"] == "restore")

    def upload(self, name: str, content: bytes, **options: Any) -> httpx.Response:
        return self.http.post(f"{API}/upload", files={"files": (name, content)}, **options)

    def uploaded(self, name: str, content: bytes) -> str:
        answer = self.upload(name, content)
        assert answer.status_code == 200, answer.text
        path: str = answer.json()[0]
        return path

    def join(
        self, data: list[Any], event: int | None = None, session: str | None = None, **more: Any
    ) -> httpx.Response:
        body = {"data": data, "fn_index": self.restore_event if event is None else event, **more}
        body["session_hash"] = session or uuid.uuid4().hex
        return self.http.post(f"{API}/queue/join", json=body)

    def restore(self, path: str, orig_name: str = "photo.png", weather: str = "auto") -> dict[str, Any]:
        """Have an uploaded photo restored: the last message about it."""
        session = uuid.uuid4().hex
        answer = self.join([named(path, orig_name=orig_name), weather, 1.0, "auto"], session=session)
        assert answer.status_code == 200, answer.text
        return self.last_message(session)

    def last_message(self, session: str) -> dict[str, Any]:
        with self.messages(session) as messages:
            return next(message for message in messages if message["msg"] == "process_completed")

    @contextmanager
    def messages(self, session: str) -> Iterator[Iterator[dict[str, Any]]]:
        """Listen to a session; leaving the context is what a closed tab does."""
        with self.http.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data: "))
            yield (json.loads(line.removeprefix("data: ")) for line in lines)


def named(path: Any, **more: Any) -> dict[str, Any]:
    """Name a file as Gradio's pages do."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


def png(width: int = 48, height: int = 32, colour: str = "teal") -> bytes:
    """Return a small plain photo."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()
