"""Visitors with photos of 12 megapixels in browsers, all tabs opened: what the server's memory does; writes JSON.

    python -m benchmarks.server.load_large --visitors 10 --restorations 60 --output benchmarks/results/load_large.json

The server is `python app.py` in a process of its own. Each visitor is a window of Chromium that drops photo after
photo, looks at every tab and at 100 %, and downloads; afterwards all windows stay open and nobody does anything.
Exits with 1 where one of the rows that it prints is not what was promised.
"""

import argparse
import asyncio
import base64
import io
import itertools
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from PIL import Image
from playwright.async_api import Browser, Error, Page, async_playwright, expect

from app.look import words
from benchmarks.reliability.results import SummaryRow, print_rows, write_results
from benchmarks.report.provenance import ROOT
from benchmarks.server.load import memory_slope
from benchmarks.server.server_process import ServerProcess, running_server

PHOTOS = tuple(ROOT / "assets" / "examples" / name for name in ("facade-rain.jpg", "kingfisher-snow.jpg"))
SIZE = (4000, 3000)
PATIENCE = 900_000  # milliseconds: ten visitors wait for each other
WORKING_MB, QUIET_MB = 1500, 800
"""What was promised: while it works, and once it is quiet."""
DROP = """async ([name, bytes]) => {
  const carried = new DataTransfer();
  const photo = await (await fetch("data:image/jpeg;base64," + bytes)).blob();
  carried.items.add(new File([photo], name, {type: "image/jpeg"}));
  document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
}"""
LOOKS = ((0.2, 0.3), (0.7, 0.6))
"""Places that are looked at, as shares of the photo."""


@dataclass
class Seen:
    """What all visitors saw together, and the server's memory in MB after so many restorations."""

    restored: int = 0
    wrong: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    memory: list[tuple[int, float]] = field(default_factory=list)


def large_photos() -> list[bytes]:
    """Return the examples with broad streaks and large flakes, enlarged to 12 megapixels, as JPEGs."""
    photos = []
    for path in PHOTOS:
        with Image.open(path) as photo:
            buffer = io.BytesIO()
            photo.resize(SIZE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
        photos.append(buffer.getvalue())
    return photos


async def visit(
    browser: Browser, url: str, number: int, turns: Iterator[int], photos: list[bytes], seen: Seen
) -> None:
    """Open a window, and go through photo after photo as long as there are turns; the window stays open."""
    page = await (await browser.new_context(viewport={"width": 1280, "height": 960})).new_page()
    page.set_default_timeout(PATIENCE)
    try:
        await page.goto(url)
        await page.locator("#examples img").last.wait_for()
        for turn in turns:
            await restore(page, f"visitor-{number}-photo-{turn}.jpg", photos[turn % len(photos)], seen)
            await look_around(page)
            seen.restored += 1
    except (Error, AssertionError) as error:
        seen.errors[str(error).splitlines()[0]] += 1


async def restore(page: Page, name: str, photo: bytes, seen: Seen) -> None:
    """Drop a photo, wait for its result, download it and look whether it is this photo's, as large as it was."""
    await page.get_by_role("tab", name=words.TAB_CLEAN, exact=True).click()
    button = page.locator("#download")
    await page.evaluate(DROP, [name, base64.b64encode(photo).decode()])
    await expect(button).to_be_disabled(timeout=PATIENCE)
    await expect(button).to_be_enabled(timeout=PATIENCE)
    async with page.expect_download() as coming:
        await button.click()
    download = await coming.value
    with Image.open(await download.path()) as result:
        is_right = download.suggested_filename == name.replace(".jpg", "_opir.jpg") and result.size == SIZE
    seen.wrong += not is_right


async def look_around(page: Page) -> None:
    """Open every tab that shows the photo, click two pixels, and look at two parts at 100 %."""
    for tab in (words.TAB_STAGES, words.TAB_UNCERTAINTY, words.TAB_WEATHER):
        await page.get_by_role("tab", name=tab, exact=True).click()
        await page.wait_for_timeout(1000)
    for across, down in LOOKS:
        await page.evaluate("([across, down]) => window.opir.lookCloser(across, down)", [across, down])
        await page.locator("#closer[data-ready]").wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name=words.TAB_INSIDE, exact=True).click()
    picture = page.locator("#inside img")
    await picture.wait_for()
    for across, down in LOOKS:
        box = await picture.bounding_box()
        assert box is not None
        await picture.click(position={"x": across * box["width"], "y": down * box["height"]})
        await page.locator("#operator h3").wait_for()


async def watch(server: ServerProcess, seen: Seen) -> None:
    """Note the server's memory, forever."""
    process = psutil.Process(server.process.pid)
    while True:
        seen.memory.append((seen.restored, process.memory_info().rss / 1e6))
        await asyncio.sleep(0.25)


async def press(server: ServerProcess, visitors: int, restorations: int, quiet_minutes: float) -> tuple[Seen, float]:
    """Let visitors come: what they saw, and the server's memory in MB after so many minutes of quiet."""
    seen, turns, photos = Seen(), iter(range(restorations)), large_photos()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for process in psutil.Process().children(recursive=True):
            if process.pid != server.process.pid:  # visitors' browsers run on other machines than the server
                process.nice(19)
        watching = asyncio.create_task(watch(server, seen))
        await asyncio.gather(*(visit(browser, server.url, one, turns, photos, seen) for one in range(visitors)))
        watching.cancel()
        quiet = psutil.Process(server.process.pid).memory_info().rss / 1e6
        until = time.monotonic() + 60 * quiet_minutes
        while time.monotonic() < until and quiet > QUIET_MB:
            await asyncio.sleep(1)
            quiet = psutil.Process(server.process.pid).memory_info().rss / 1e6
        await browser.close()
    return seen, quiet


def summary_of(visitors: int, seen: Seen, quiet: float) -> list[SummaryRow]:
    """Say in a few rows what came out, and whether it is what was promised."""
    errors, most = sum(seen.errors.values()), max(megabytes for _, megabytes in seen.memory)
    return [
        SummaryRow(
            f"{visitors} visitors in browsers with photos of 12 megapixels, every tab opened",
            f"{seen.restored} restored, {seen.wrong} wrong pictures, {errors} errors",
            seen.restored > 0 and not seen.wrong and not errors,
        ),
        SummaryRow("memory of the server while it works", f"{most:.0f} MB at most", most <= WORKING_MB),
        SummaryRow("memory within ten minutes of quiet, all windows open", f"{quiet:.0f} MB", quiet <= QUIET_MB),
    ]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--restorations", type=int, default=60)
    parser.add_argument("--quiet-minutes", type=float, default=10)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    arguments = ["--checkpoint", options.checkpoint]
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder, "log"), arguments) as server:
        health = server.health()
        seen, quiet = asyncio.run(press(server, options.visitors, options.restorations, options.quiet_minutes))
    rows = summary_of(options.visitors, seen, quiet)
    most: dict[int, float] = {}
    for restored, group in itertools.groupby(seen.memory, key=lambda one: one[0]):
        most[restored] = round(max(megabytes for _, megabytes in group))
    figures: dict[str, Any] = {
        "restored": seen.restored,
        "wrong_pictures": seen.wrong,
        "errors": dict(seen.errors),
        "memory_most_mb_by_restorations": list(most.items()),
        "memory_quiet_mb": round(quiet),
        "memory_slope_mb_per_100": memory_slope(seen.memory),
    }
    load = {
        "visitors": options.visitors,
        "restorations": options.restorations,
        "quiet_minutes": options.quiet_minutes,
    }
    report = {"weights_sha256": health["weights_sha256"], "load": load, "results": figures}
    write_results(options.output, "make load-large", rows, report)
    print_rows(rows)


if __name__ == "__main__":
    main()
