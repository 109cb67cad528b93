"""Take the pictures of the documentation from the page itself: make screenshots (needs Chromium)."""

import argparse
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app import page as the_page
from app.drawing.weather_map import WeatherMap
from app.look import words
from app.tabs.clean_actions import Actions
from opir.inference import Restorer

ASSETS = Path(__file__).parent
EXAMPLE = re.compile(r"^\s*Rain, night\s*$")
"""One that the shipped weights were not trained on, as those of `measure`."""
PATIENCE = 300_000  # milliseconds
DESKTOP = {"width": 1280, "height": 960}
PHONE = {"width": 390, "height": 844}


def main(arguments: list[str] | None = None) -> None:
    """Serve the page, go through its tabs, and save what the browser shows."""
    parser = argparse.ArgumentParser(prog="python -m assets.screenshot", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--checkpoint", default="lite", help="a shipped name or a path (default: lite)")
    parser.add_argument("--only", nargs="*", choices=PICTURES, default=list(PICTURES), help="some of the pictures")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    restorer = Restorer.from_pretrained(options.checkpoint)
    blocks = the_page.build(Actions(restorer, WeatherMap.shipped_with(restorer)))
    _, url, _ = blocks.queue().launch(prevent_thread_lock=True, quiet=True, **the_page.launch_options())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in options.only:
            take(browser, url, name, options.folder / f"{name}.png")
        browser.close()
    blocks.close()


def take(browser: Browser, url: str, name: str, path: Path) -> None:
    """Take one picture, in all of its colours."""
    show, size, scheme = PICTURES[name]
    page = browser.new_page(viewport=size, color_scheme=scheme)
    page.set_default_timeout(PATIENCE)
    page.goto(url, wait_until="domcontentloaded")
    page.locator("#examples img").first.wait_for()
    show(page)
    page.mouse.move(size["width"] - 4, size["height"] - 4)
    page.wait_for_timeout(2500)
    shot = Image.open(io.BytesIO(page.screenshot(full_page=size is DESKTOP)))
    page.close()
    shot.convert("RGB").save(path, optimize=True)
    print(f"{path}: {shot.width} × {shot.height}, {path.stat().st_size / 1000:.0f} kB")


def clean(page: Page) -> None:
    """Restore an example."""
    page.locator("#examples .thumbnail-lg", has_text=EXAMPLE).click()
    expect(page.locator("#summary")).to_contain_text(re.compile(r"[\d.]+ s\.|made ready"), timeout=PATIENCE)
    expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)
    expect(page.locator("#cancel")).to_be_disabled(timeout=PATIENCE)


def trust(page: Page) -> None:
    """Show the uncertainty of an example."""
    clean(page)
    _open(page, words.TAB_UNCERTAINTY)
    expect(page.locator("#uncertainty img")).to_have_count(2, timeout=PATIENCE)


def stages(page: Page) -> None:
    """Show both stages of an example and what the second one changed."""
    clean(page)
    _open(page, words.TAB_STAGES)
    expect(page.locator("#change img")).to_have_count(1, timeout=PATIENCE)


def weather(page: Page) -> None:
    """Show where an example lies among known photos."""
    clean(page)
    _open(page, words.TAB_WEATHER)
    expect(page.locator("#weather-map")).to_contain_text(words.YOUR_PHOTO, timeout=PATIENCE)


def inside(page: Page) -> None:
    """Look at a pixel of an example."""
    clean(page)
    _open(page, words.TAB_INSIDE)
    page.locator("#inside img").click()
    expect(page.locator("#operator h3")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator("#scales img").first).to_be_visible(timeout=PATIENCE)


def many(page: Page) -> None:
    """Restore several photos."""
    _open(page, words.TAB_MANY)
    names = ("examples/canyon-haze.jpg", "README.md", "examples/palace-rain.jpg", "examples/neuschwanstein-snow.jpg")
    files = [
        {
            "name": Path(name).name.replace(".md", ".jpg"),
            "mimeType": "image/jpeg",
            "buffer": (ASSETS / name).read_bytes(),
        }
        for name in names
    ]
    page.locator("#many-photos input[type=file]").set_input_files(files)
    expect(page.locator("#many-photos")).to_contain_text("neuschwanstein-snow", timeout=PATIENCE)
    page.locator("#many-quality label", has_text=words.FAST).click()
    page.locator("#many-start").click()
    expect(page.locator("#many-zip")).to_be_enabled(timeout=PATIENCE)


def measure(page: Page) -> None:
    """Measure an example against the photo that it was made from."""
    _open(page, words.TAB_MEASURE)
    page.locator("#measure-degraded input[type=file]").set_input_files(ASSETS / "examples/bridge-rain.jpg")
    page.locator("#measure-clean input[type=file]").set_input_files(ASSETS / "clean/bridge.jpg")
    expect(page.locator("#measure-clean")).to_contain_text("bridge", timeout=PATIENCE)
    page.locator("#measure-start").click()
    expect(page.locator("#scores")).to_contain_text("PSNR, Y", timeout=PATIENCE)
    page.locator("#curve canvas, #curve svg").first.wait_for()


def about(page: Page) -> None:
    """Show where the weights come from."""
    _open(page, words.TAB_ABOUT)


def _open(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


PICTURES: dict[str, tuple[Callable[[Page], None], dict[str, int], str]] = {
    "clean": (clean, DESKTOP, "light"),
    "trust": (trust, DESKTOP, "light"),
    "stages": (stages, DESKTOP, "light"),
    "weather": (weather, DESKTOP, "light"),
    "inside": (inside, DESKTOP, "light"),
    "many": (many, DESKTOP, "light"),
    "measure": (measure, DESKTOP, "light"),
    "about": (about, DESKTOP, "light"),
    "phone": (clean, PHONE, "light"),
    "dark": (inside, DESKTOP, "dark"),
}


if __name__ == "__main__":
    main()
