"""What the page does in the browser itself: small scripts, each a function without arguments."""

import json

from app.look import words

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

PASTE = """() => {
  const visible = (box) => box && box.offsetParent !== null;
  const fill = (box, files, tries) => {
    const input = box.querySelector("input[type=file]");
    if (input) {
      const kept = new DataTransfer();
      (input.multiple ? files : files.slice(0, 1)).forEach((file) => kept.items.add(file));
      input.files = kept.files;
      input.dispatchEvent(new Event("change", {bubbles: true}));
    } else if (tries > 0) setTimeout(() => fill(box, files, tries - 1), 50);
  };
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    const ids = ["photo", "many-photos", "measure-degraded", "measure-clean"];
    const shown = ids.map((id) => document.getElementById(id)).filter(visible);
    if (!files.length || !shown.length) return;
    event.preventDefault();
    const box = shown.find((one) => one.querySelector("input[type=file]")) ?? shown[0];
    if (!box.querySelector("input[type=file]")) box.querySelector("button[aria-label]")?.click();
    fill(box, files, 40);
  });
}"""
"""A pasted picture goes where a dropped one would on the tab that is shown, in place of an older one."""

SCROLL_TO_RESULT = """() => {
  const summary = document.getElementById("summary");
  if (summary && window.innerWidth <= 860) summary.scrollIntoView({behavior: "smooth", block: "start"});
  return [];
}"""
"""On a phone the result lies below the examples: show it."""

MEND_ACCESS = """() => {
  const mend = () => {
    document.querySelectorAll(".image-container > button:not([aria-label])").forEach((button) => {
      const label = button.closest(".block")?.querySelector("[data-testid=block-label]");
      if (label) button.setAttribute("aria-label", label.textContent.trim());
    });
    document.querySelectorAll(".cm-scroller[tabindex='-1']").forEach((box) => { box.tabIndex = 0; });
    document.querySelectorAll("button[aria-label='common.upload']").forEach((around) => {
      around.setAttribute("role", "group");
      around.tabIndex = -1;
      [around, around.querySelector("button")].forEach((one) => one?.setAttribute("aria-label", ADD_PHOTOS));
    });
  };
  new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
}""".replace("ADD_PHOTOS", json.dumps(words.ADD_PHOTOS))
"""What Gradio leaves without a name for a screen reader or out of the keyboard's reach: pictures that can be clicked
on get the name of their frame, code can be scrolled, and the button that adds photos is one and has a name."""

REFUSED_UPLOADS = """() => {
  const sentences = [
    [/^File\\(s\\) exceed the maximum allowed size of [^:]*: (.*)$/s, TOO_LARGE],
    [/^Invalid file type: (.*)\\. Only [^.]*(?:, \\.\\w+)* allowed\\.$/s, NO_PHOTO_FILE],
  ];
  const boxes = "#photo, #many-photos, #measure-degraded, #measure-clean";
  const tell = () => {
    document.querySelectorAll("[data-testid=toast-text]").forEach((toast) => sentences.forEach(([said, sentence]) => {
      const refused = said.exec(toast.textContent);
      if (refused) toast.textContent = sentence.replace("NAME", () => refused[1].replaceAll('"', ""));
    }));
    document.querySelectorAll(boxes).forEach((box) => box.querySelector(".clear-status button")?.click());
  };
  new MutationObserver(tell).observe(document.body, {childList: true, subtree: true});
}""".replace("TOO_LARGE", json.dumps(words.FILE_TOO_LARGE)).replace("NO_PHOTO_FILE", json.dumps(words.NO_PHOTO_FILE))
"""What the browser refuses to send is told in the page's own words, and the drop zone is ready for another file."""
