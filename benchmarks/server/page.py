"""Measure how fast the page answers in a real browser, with the shipped weights; writes JSON.

    python -m benchmarks.server.page --output benchmarks/results/page.json

From the click to what is drawn: an example's result, and in a photo of 12 megapixels a pixel's operator and a part at
100 %. Every click on an example is the first of its visitor. Chromium runs on the same machine and shares its
processors.
"""

import argparse
import io
import json
import os
import shutil
import statistics
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import page as the_page
from app.drawing.weather_map import WeatherMap
from app.look import words
from app.tabs.clean_actions import Actions
from benchmarks.report.provenance import ROOT, made_by, processor, write_report
from opir.inference import Restorer

PHOTO = ROOT / "assets" / "clean" / "village.jpg"
PATIENCE = 120_000  # milliseconds
LARGE = (4000, 3000)  # pixels
PIXELS = ((0.1, 0.1), (0.5, 0.5), (0.9, 0.2), (0.3, 0.8), (0.7, 0.6))  # places of clicks, as shares of the picture

SECONDS_UNTIL_RESULT = """(index) => new Promise((resolve, reject) => {
  const shown = () => {
    const pictures = [...document.querySelectorAll("#before-after img")];
    return pictures.length === 2 && pictures.every((one) => one.complete && one.naturalWidth);
  };
  const example = document.querySelectorAll("#examples .thumbnail-lg")[index];
  if (!example || shown()) return reject(new Error("expected examples, and no result yet"));
  setTimeout(() => reject(new Error("the example showed no result")), PATIENCE);
  const began = performance.now();
  example.click();
  const look = () => shown() ? resolve((performance.now() - began) / 1000) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})""".replace("PATIENCE", str(PATIENCE))
WATCH_PIXEL = """() => {
  const title = () => document.querySelector("#operator h3")?.textContent;
  const before = title();
  window.pixelSeconds = new Promise((resolve, reject) => document.addEventListener("click", () => {
    const began = performance.now();
    setTimeout(() => reject(new Error("the click showed no pixel")), PATIENCE);
    const look = () => title() && title() !== before ? resolve((performance.now() - began) / 1000)
      : requestAnimationFrame(look);
    requestAnimationFrame(look);
  }, {once: true, capture: true}));
}""".replace("PATIENCE", str(PATIENCE))
SECONDS_UNTIL_PART = """([across, down]) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("no part was shown")), PATIENCE);
  const dialog = document.getElementById("closer");
  dialog.close();
  const began = performance.now();
  window.opir.lookCloser(across, down);
  const look = () => dialog.dataset.ready ? resolve((performance.now() - began) / 1000) : requestAnimationFrame(look);
  requestAnimationFrame(look);
})""".replace("PATIENCE", str(PATIENCE))
PICTURE_LOADED = """() => {
  const picture = document.querySelector("#inside img");
  return picture?.complete && picture.naturalWidth > 0;
}"""


def open_page(browser: Browser, url: str) -> Page:
    """Open the page as a new visitor and wait for its examples."""
    page = browser.new_context(viewport={"width": 1280, "height": 960}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)  # its stream of messages never rests
    page.locator("#examples img").last.wait_for()
    return page


def first_clicks(browser: Browser, url: str, count: int) -> list[float]:
    """Return the seconds that each example takes, each for a visitor of its own."""
    seconds = []
    for index in range(count):
        page = open_page(browser, url)
        seconds.append(page.evaluate(SECONDS_UNTIL_RESULT, index))
        expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)  # the next visitor finds an idle server
        page.context.close()
    return seconds


def open_large_photo(browser: Browser, url: str) -> Page:
    """Open the page as a new visitor, and restore a large photo."""
    buffer = io.BytesIO()
    with Image.open(PHOTO) as photo:
        photo.resize(LARGE, Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    page = open_page(browser, url)
    page.locator("#photo input[type=file]").set_input_files(
        {"name": "large.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}
    )
    expect(page.locator("#download")).to_have_text(words.DOWNLOAD, timeout=PATIENCE)
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)
    return page


def looks_at_100(page: Page) -> list[float]:
    """Return the seconds that parts at the photo's own pixels take."""
    seconds = [page.evaluate(SECONDS_UNTIL_PART, [across, down]) for across, down in PIXELS]
    page.keyboard.press("Escape")
    return seconds


def pixel_clicks(page: Page) -> list[float]:
    """Return the seconds that pixels take."""
    page.get_by_role("tab", name=words.TAB_WEATHER, exact=True).click()  # a tab that was never opened has no contents
    expect(page.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)
    page.get_by_role("tab", name=words.TAB_INSIDE, exact=True).click()
    page.wait_for_function(PICTURE_LOADED)  # a click on a picture that is still loading means nothing
    picture = page.locator("#inside img")
    box = picture.bounding_box()
    assert box is not None
    seconds = []
    for right, down in PIXELS:
        page.evaluate(WATCH_PIXEL)
        picture.click(position={"x": right * box["width"], "y": down * box["height"]})
        seconds.append(page.evaluate("window.pixelSeconds"))
    return seconds


def summary(seconds: list[float]) -> dict[str, Any]:
    """Return the median, the slowest and all of them."""
    rounded = [round(one, 3) for one in seconds]
    return {"median_s": round(statistics.median(seconds), 3), "slowest_s": max(rounded), "all_s": rounded}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="lite")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    restorer = Restorer.from_pretrained(options.checkpoint)
    actions = Actions(restorer, WeatherMap.shipped_with(restorer))
    if not actions.examples_are_ready:
        raise SystemExit("the results of the examples are out of date; run make examples")
    blocks = the_page.build(actions)
    _, url, _ = blocks.queue().launch(prevent_thread_lock=True, quiet=True, **the_page.launch_options())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        first_clicks(browser, url, 1)  # imports on first use
        examples = first_clicks(browser, url, len(actions.examples.photos))
        page = open_large_photo(browser, url)
        parts = looks_at_100(page)
        pixels = pixel_clicks(page)
        browser.close()
    blocks.close()
    megapixels = LARGE[0] * LARGE[1] / 1e6
    report = {
        **made_by(f"python -m benchmarks.server.page --checkpoint {options.checkpoint}"),
        "weights_sha256": restorer.info.sha256 if restorer.info else None,
        "hardware": {"processor": processor(), "cores": os.cpu_count(), "device": str(restorer.device)},
        "results": {
            "example": {"mark_s": 0.5, **summary(examples)},
            "pixel": {"mark_s": 1.0, "megapixels": megapixels, **summary(pixels)},
            "part": {"mark_s": 0.5, "megapixels": megapixels, **summary(parts)},
        },
    }
    write_report(report, options.output)
    print(json.dumps(report["results"], indent=1))


if __name__ == "__main__":
    main()
