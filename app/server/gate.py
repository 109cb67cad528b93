"""The one gate before Gradio: closed addresses, foreign sites, large bodies, files that are not a visitor's own.

A plain ASGI middleware, given to Gradio as `launch(app_kwargs={"middleware": [...]})`. Each refusal is one sentence
and one line in the log.
"""

import json
import logging
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from app.look import refusals
from app.server import gradio_insides
from app.server.gate_rules import (
    API,
    CALL,
    FILE,
    JOIN,
    UPLOAD,
    is_inside,
    is_open,
    is_own_site,
    named_files,
    streamed_session,
)
from app.server.logs import log_request
from app.server.server_state import MODEL_QUEUE, ServerState

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAX_JSON_BYTES = 1_000_000
"""Of a body that is no upload; the page's own are a few kilobytes."""
RETRY_SECONDS = 15

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)


class Refused(Exception):
    """Why a request goes no further."""

    def __init__(self, status: int, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.kind = status, sentence, kind


class Gate:
    """Lets through what the page and the public endpoint need."""

    def __init__(self, app: App, state: ServerState) -> None:
        self.app, self.state = app, state
        self.settings = state.settings
        self.allowed = {origin.rstrip("/").lower() for origin in self.settings.allowed_origins.split()}
        self._arriving = 0  # bytes of uploads
        self._joining = 0  # jobs that were let in and are not in the queue yet

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close"})  # the page has none
            return
        headers = Headers(scope=scope)
        path = _path_of(scope)
        try:
            self._check_address(scope, path, headers)
            if path == UPLOAD:
                await self._pass_upload(scope, receive, send, headers)
                return
            if scope["method"] == "POST":
                body = await _read(receive, headers)
                await self._pass_work(scope, _replaying(body, receive), send, self._asks_model(path, body))
                return
            session = streamed_session(path, scope["query_string"])
            with self.state.listening_to(session) if session else nullcontext():
                await self.app(scope, receive, _with_headers(send))
        except Refused as refused:
            log_request(
                logging.WARNING,
                request=uuid.uuid4().hex[:8],
                door=_door(path),
                outcome="refused",
                status=refused.status,
                reason=refused.kind,
            )
            retry = {"Retry-After": str(RETRY_SECONDS)} if refused.status in (503, 507) else {}
            answer = JSONResponse({"detail": refused.sentence}, refused.status, headers=retry)
            await answer(scope, receive, _with_headers(send))

    def _check_address(self, scope: MutableMapping[str, Any], path: str, headers: Headers) -> None:
        if not is_open(scope["method"], path):
            raise Refused(404, refusals.NO_SUCH_ADDRESS, "address")
        if not is_own_site(headers.get("origin"), headers.get("sec-fetch-site"), headers.get("host"), self.allowed):
            raise Refused(403, refusals.FOREIGN_SITE, "origin")
        if path.startswith(FILE) and not is_inside(path.removeprefix(FILE), self.state.files.folder):
            raise Refused(403, refusals.FOREIGN_FILE, "file")

    async def _pass_upload(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, headers: Headers
    ) -> None:
        length = _length(headers)
        if length is None:
            raise Refused(411, refusals.NO_LENGTH, "length")
        if length > self.settings.max_request_mb * 1e6:
            raise Refused(413, refusals.upload_too_large(self.settings.max_request_mb), "size")
        if self.state.is_stopping:
            raise Refused(503, refusals.STOPPING, "stopping")
        if not self.state.files.has_room(self._arriving + length):
            raise Refused(507, refusals.DISK_FULL, "disk")
        passed_on = _with_headers(send)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 413:  # Gradio counts in bytes
                raise Refused(413, refusals.file_too_large(self.settings.max_upload_mb), "size")
            await passed_on(message)

        self._arriving += length
        try:
            await self.app(scope, receive, answer)
        finally:
            self._arriving -= length

    async def _pass_work(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, asks_model: bool
    ) -> None:
        longest = self.settings.queue_length
        if asks_model and self.state.waiting() + self._joining >= longest:
            raise Refused(503, refusals.busy_sentence(longest), "queue")
        self._joining += asks_model
        try:
            await self.app(scope, receive, _with_headers(send))
        finally:
            self._joining -= asks_model

    def _asks_model(self, path: str, body: bytes) -> bool:
        """Check a request for work and its files, and say whether it is work for the model."""
        called = CALL.fullmatch(path)
        if path != JOIN and called is None:
            return False
        try:
            asked = json.loads(body)
            files = list(named_files(asked))
        except (ValueError, RecursionError):
            raise Refused(400, refusals.NO_JSON, "json") from None
        if not isinstance(asked, dict):
            raise Refused(400, refusals.NO_JSON, "json")
        if self.state.is_stopping:
            raise Refused(503, refusals.STOPPING, "stopping")
        function = self._function(called["name"] if called else None, asked)
        folder = self.state.files.folder
        if any(not isinstance(name, str) or not is_inside(name, folder) for name in files):
            raise Refused(403, refusals.FOREIGN_FILE, "file")
        if not all(Path(name).is_file() for name in files):
            raise Refused(410, refusals.GONE, "gone")
        return bool(function.concurrency_id == MODEL_QUEUE["concurrency_id"])

    def _function(self, name: str | None, asked: dict[str, Any]) -> Any:
        """Return what is asked for: a public endpoint by its name, or an event of the page by its number."""
        functions = gradio_insides.functions_of(self.state.blocks)
        if name is not None:
            found = [one for one in functions.values() if one.api_name == name and one.api_visibility == "public"]
            if not found:
                raise Refused(404, refusals.NO_SUCH_ADDRESS, "address")
            return found[0]
        number = asked.get("fn_index")
        if not isinstance(number, int) or number not in functions or not isinstance(asked.get("session_hash"), str):
            raise Refused(400, refusals.NO_SUCH_EVENT, "event")
        return functions[number]


def _path_of(scope: MutableMapping[str, Any]) -> str:
    path, root = str(scope["path"]), str(scope.get("root_path") or "")
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _door(path: str) -> str:
    """Name an address for the log, without anything that a visitor put into it."""
    if CALL.fullmatch(path):
        return f"{API}/call"
    return next((door for door in (FILE, UPLOAD, JOIN) if path.startswith(door)), "other")


def _length(headers: Headers) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


async def _read(receive: Receive, headers: Headers) -> bytes:
    """Return the whole body of a request that is no upload."""
    if (_length(headers) or 0) > MAX_JSON_BYTES:
        raise Refused(413, refusals.BODY_TOO_LARGE, "size")
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, refusals.NO_JSON, "disconnect")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_JSON_BYTES:
            raise Refused(413, refusals.BODY_TOO_LARGE, "size")
    return body


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out a body that was read already."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return left.pop() if left else await receive()

    return receive_again


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", [])}
            message["headers"] = [
                *message.get("headers", []),
                *(header for header in _HEADERS if header[0] not in there),
            ]
        await send(message)

    return send_with_headers
