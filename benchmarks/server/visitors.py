"""Visitors of the page over HTTP, each with photos that are told apart even after they were restored."""

import asyncio
import io
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from PIL import Image

COLUMNS, ROWS = 8, 5
BITS = COLUMNS * ROWS // 2
PHOTOS = 2**12  # per visitor, before the numbers come again
DARK, LIGHT = 0.35, 0.65
LONGEST_WAIT = 1800.0


def draw_photo(code: int, width: int, height: int) -> bytes:
    """Return a JPEG whose pairs of cells, dark left of light or the other way round, are the bits of a number."""
    bits = [code >> place & 1 for place in range(BITS)]
    cells = np.array([(LIGHT, DARK) if bit else (DARK, LIGHT) for bit in bits]).reshape(ROWS, COLUMNS)
    noise = np.random.default_rng(code).normal(0, 0.02, (height, width, 3))
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    tint = np.array([1.0, 0.97, 0.92])
    picture = np.clip(cells[rows[:, None], columns[None, :], None] * tint + noise, 0, 1)
    buffer = io.BytesIO()
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def read_code(picture: bytes) -> int:
    """Return the number that a photo of `draw_photo` was drawn for, restored or not."""
    with Image.open(io.BytesIO(picture)) as opened:
        grey = np.asarray(opened.convert("L"), dtype=float)
    height, width = grey.shape
    means = np.empty((ROWS, COLUMNS))
    for row in range(ROWS):
        for column in range(COLUMNS):
            top, left = height * (4 * row + 1) // (4 * ROWS), width * (4 * column + 1) // (4 * COLUMNS)
            bottom, right = height * (4 * row + 3) // (4 * ROWS), width * (4 * column + 3) // (4 * COLUMNS)
            means[row, column] = grey[top:bottom, left:right].mean()
    pairs = means.reshape(BITS, 2)
    return sum(1 << place for place, (left, right) in enumerate(pairs) if left > right)


@dataclass
class Seen:
    """What all visitors saw together."""

    waited: list[float] = field(default_factory=list)
    """Seconds from asking for a restoration to having the result."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Sentences, and how often they were read."""
    errors: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    left: int = 0
    told_position: int = 0
    completed: int = 0
    last_position: int = 0

    @property
    def restored(self) -> int:
        return len(self.waited)


class Refused(Exception):
    """The server takes no more for now."""


class Visitor:
    """Somebody with photos, who comes back as long as it takes."""

    def __init__(self, client: httpx.AsyncClient, number: int, event: int, seen: Seen, size: tuple[int, int]) -> None:
        self.client, self.number, self.event, self.seen, self.size = client, number, event, seen, size
        self.photos = 0

    async def restore_one(self, leave: bool = False) -> None:
        """Have one photo restored and look at what comes back; or leave as soon as its turn has come."""
        code = self.number * PHOTOS + self.photos % PHOTOS
        self.photos += 1
        name = f"visitor-{self.number}-photo-{self.photos}.jpg"
        began = time.monotonic()
        sent = draw_photo(code, *self.size)
        path = self._of(await self.client.post("/gradio_api/upload", files={"files": (name, sent)})).json()[0]
        session = uuid.uuid4().hex
        photo = {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}
        asked = {"data": [photo, "auto", 1.0, "auto"], "fn_index": self.event, "session_hash": session}
        self._of(await self.client.post("/gradio_api/queue/join", json=asked))
        ranks: list[int] = []
        async for message in self._messages(session):
            if message["msg"] == "estimation":
                ranks.append(message["rank"])
            elif message["msg"] == "process_starts" and leave:
                self.seen.left += 1
                return
            elif message["msg"] == "process_completed":
                self._note(ranks)
                if not message["success"]:
                    raise RuntimeError(f"failed: {message['output'].get('error')}")
                await self._check(message["output"]["data"][0], code, name)
                self.seen.waited.append(time.monotonic() - began)
                return
        raise RuntimeError("the stream ended without a result")

    async def _messages(self, session: str) -> AsyncIterator[dict[str, Any]]:
        timeout = httpx.Timeout(60, read=LONGEST_WAIT)
        query = {"session_hash": session}
        async with self.client.stream("GET", "/gradio_api/queue/data", params=query, timeout=timeout) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    async def _check(self, result: dict[str, Any], code: int, name: str) -> None:
        picture = self._of(await self.client.get(f"/gradio_api/file={result['path']}")).content
        if read_code(picture) != code or result["orig_name"] != name.replace(".jpg", "_opir.jpg"):
            self.seen.wrong += 1

    def _note(self, ranks: list[int]) -> None:
        self.seen.told_position += bool(ranks)
        self.seen.completed += 1
        self.seen.last_position = max([self.seen.last_position, *(rank + 1 for rank in ranks)])

    def _of(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code in (503, 507):
            self.seen.refusals[answer.json()["detail"]] += 1
            raise Refused
        answer.raise_for_status()
        return answer


async def visit(visitor: Visitor, is_enough: "asyncio.Event", leave_every: int, pause: float) -> None:
    """Restore photo after photo until it is enough; every so many of them are left alone half-way."""
    dice = random.Random(visitor.number)
    while not is_enough.is_set():
        try:
            await visitor.restore_one(leave=leave_every > 0 and dice.randrange(leave_every) == 0)
        except Refused:
            await _wait(is_enough, pause * dice.uniform(0.5, 1.5))
        except (httpx.HTTPError, RuntimeError, KeyError, ValueError) as error:
            kind = str(error) if isinstance(error, RuntimeError) else type(error).__name__
            visitor.seen.errors[kind] += 1
            await _wait(is_enough, pause)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def find_event(client: httpx.AsyncClient, name: str) -> int:
    """Return the number of a public endpoint."""
    events = (await client.get("/config", timeout=60)).json()["dependencies"]
    return next(int(event["id"]) for event in events if event["api_name"] == name)
