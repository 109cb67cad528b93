"""What the page does in the browser itself: scripts, each a function without arguments. Long ones are files."""

import json
import re
from pathlib import Path

from app.look import words
from opir.photo import ENDINGS


def _read(name: str, **said: str) -> str:
    """Return a script's text with what it says put in."""
    script = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return script.strip().replace("WORDS", json.dumps(said), 1)


ARROW_KEYS = """() => {
  const buttons = {ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down"};
  document.addEventListener("click", (event) => {
    const picture = event.target.closest("#inside");
    if (picture) { picture.tabIndex = 0; picture.focus({preventScroll: true}); }
  });
  document.addEventListener("keydown", (event) => {
    if (!buttons[event.key] || !event.target.closest("#look-where")) return;
    if (event.target.closest("input, textarea, [contenteditable]")) return;
    event.preventDefault();
    document.getElementById("move-" + buttons[event.key]).click();
  });
}"""
"""Arrow keys press the four buttons while the picture or a button beside it has the focus."""

MARK_PIXELS = """() => {
  const mark = () => {
    const frame = document.querySelector("#inside .image-container"), picture = frame?.querySelector("img");
    const places = [...document.querySelectorAll("#operator .operator, #pinned .operator")].map((one) =>
      [one.dataset.across, one.dataset.down, one.parentElement.querySelector(":scope > .pin")?.textContent ?? ""]);
    const box = picture?.getBoundingClientRect(), around = frame?.getBoundingClientRect();
    const drawn = picture?.naturalWidth && box.width ? JSON.stringify([places, box.x - around.x, box]) : "";
    if (!frame || (frame.dataset.marks ?? "") === drawn) return;
    frame.dataset.marks = drawn;
    frame.querySelectorAll(".mark").forEach((one) => one.remove());
    if (!drawn) return;
    const shrunk = Math.max(1, picture.naturalWidth / box.width, picture.naturalHeight / box.height);
    const [width, height] = [picture.naturalWidth / shrunk, picture.naturalHeight / shrunk];
    places.forEach(([across, down, name]) => {
      const one = document.createElement("i");
      one.className = "mark";
      one.textContent = name;
      one.style.left = `${box.x - around.x + (box.width - width) / 2 + across * width}px`;
      one.style.top = `${box.y - around.y + (box.height - height) / 2 + down * height}px`;
      frame.append(one);
    });
  };
  new MutationObserver(mark).observe(document.body, {childList: true, subtree: true});
  document.addEventListener("load", mark, true);
  window.addEventListener("resize", mark);
}"""
"""A ring on the picture shows the pixel that is looked into, and a letter those that are pinned."""

_SCROLL = """() => {
  const shown = document.getElementById("ID");
  if (shown && window.innerWidth <= 860) shown.scrollIntoView({behavior: "smooth", block: "start"});
  return [];
}"""
SCROLL_TO_RESULT = _SCROLL.replace("ID", "summary")
SCROLL_TO_COMPARED = _SCROLL.replace("ID", "many-compared")
"""On a phone the result lies below what was touched: show it."""

_DROP_TEXTS = {
    "#photo": words.DROP_ONE,
    "#many-photos": words.DROP_SEVERAL,
    "#measure-degraded": words.DROP_ONE,
    "#measure-clean": words.DROP_ONE,
}

MEND_ACCESS = """() => {
  const mend = () => {
    document.querySelectorAll(".image-container > button:not([aria-label])").forEach((button) => {
      const label = button.closest(".block")?.querySelector("[data-testid=block-label]");
      if (label) button.setAttribute("aria-label", label.textContent.trim());
    });
    Object.entries(DROP_TEXTS).forEach(([box, text]) => {
      const said = document.querySelector(`${box} [data-testid=upload-text]`);
      if (!said || said.lastElementChild?.className === "drop-text") return;
      said.append(Object.assign(document.createElement("span"), {className: "drop-text", textContent: text}));
      said.closest("button")?.setAttribute("aria-label", text);
    });
    document.querySelectorAll(".cm-scroller[tabindex='-1']").forEach((box) => { box.tabIndex = 0; });
    document.querySelectorAll("button[aria-label='common.upload']").forEach((around) => {
      around.setAttribute("role", "group");
      around.tabIndex = -1;
      [around, around.querySelector("button")].forEach((one) => one?.setAttribute("aria-label", ADD_PHOTOS));
    });
  };
  new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
}""".replace("ADD_PHOTOS", json.dumps(words.ADD_PHOTOS)).replace("DROP_TEXTS", json.dumps(_DROP_TEXTS))
"""What Gradio leaves without a name for a screen reader or out of the keyboard's reach: pictures that can be clicked
on get the name of their frame, code can be scrolled, and the button that adds photos is one and has a name. Where
photos are dropped it says so in the page's own words."""

MESSAGES = _read(
    "messages.js",
    tooLarge=words.FILE_TOO_LARGE,
    close=words.CLOSE,
    boxes="#photo, #many-photos, #measure-degraded, #measure-clean, #scores",
)
"""What goes wrong before the server is asked is told in the page's own words, and stays until the next action."""

DROP = _read(
    "drop.js",
    many=words.TAB_MANY,
    clean=words.TAB_CLEAN,
    several=words.SEVERAL_DROPPED,
    openMany=words.OPEN_MANY,
    elsewhere=words.DROPPED_FROM_ELSEWHERE,
    nothing=words.NOTHING_DROPPED,
    leftOut=words.LEFT_OUT,
    noneInFolder=words.NO_PHOTOS_IN_FOLDER,
    noneAmong=words.NO_PHOTOS_AMONG,
    endings=f"({'|'.join(map(re.escape, ENDINGS))})$",
)
"""A photo that is dropped or pasted anywhere goes where one is expected on the tab that is shown, in place of an
older one. Needs `MESSAGES`."""

CLOSER = _read(
    "closer.js",
    title=words.AT_100,
    outline=words.OUTLINE_DOUBT,
    close=words.CLOSE,
    panes=words.CLOSER_PANES,
    before=words.BEFORE,
    after=words.AFTER,
    where=words.CLOSER_WHERE,
    certain=words.NOTHING_DOUBTFUL,
    fetching=words.FETCHING,
    none=words.NO_RESULT,
)
"""The body of a function of Gradio's HTML component: a dialog that asks the server for parts of the result."""

CHOOSE_ROW = """element.addEventListener("click", (event) => {
  const row = event.target.closest("tr")?.querySelector("[data-row]")?.dataset.row;
  if (row !== undefined) trigger("select", {row: Number(row)});
});"""
"""A click anywhere on a row, or a key on its name, chooses it."""

CLOSE_CLOSER = "() => { document.getElementById('closer')?.close(); }"
"""What went wrong is told below it."""
OPEN_CLOSER = "() => { window.opir.lookCloser(); }"

WHEEL = """() => {
  document.addEventListener("wheel", (event) => {
    const isCompared = event.target.closest?.("#before-after, #uncertainty, #many-compared");
    if (isCompared && !event.ctrlKey) event.stopPropagation();
  }, {capture: true, passive: true});
}"""
"""The wheel moves the page over a compared picture too; with Ctrl, or two fingers, it enlarges the picture."""

ON_LOAD = (ARROW_KEYS, MARK_PIXELS, MEND_ACCESS, MESSAGES, DROP, WHEEL)
"""What runs when the page was loaded, in this order."""
