"""Take the README's picture of a running page: python assets/screenshot.py URL assets/page.png (needs Chromium)."""

import io
import re
import shutil
import sys

from PIL import Image
from playwright.sync_api import expect, sync_playwright

EXAMPLE = re.compile(r"^\s*Haze\s*$")
PATIENCE = 120_000  # milliseconds


def main(url: str, output: str) -> None:
    """Restore an example and save what the browser shows, with few colours so that the file stays small."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        page.goto(url, wait_until="domcontentloaded")
        page.locator("#examples .thumbnail-lg", has_text=EXAMPLE).click(timeout=PATIENCE)
        expect(page.locator("#summary")).to_contain_text(re.compile(r"in \d+ tile"), timeout=PATIENCE)
        expect(page.locator("#download")).to_be_enabled(timeout=PATIENCE)
        page.mouse.move(1270, 950)
        page.wait_for_timeout(1500)
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    colours = shot.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    colours.save(output, optimize=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
