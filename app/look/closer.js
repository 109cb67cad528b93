const words = WORDS;
const MARGIN = 0.3;  // of a pane is fetched beyond each of its edges, so that small moves show at once
const STEP = 80;  // pixels of the photo

const dialog = document.createElement("dialog");
dialog.id = "closer";
dialog.setAttribute("aria-label", words.title);
dialog.innerHTML = `
  <header><b>${words.title}</b>
    <label><input type="checkbox">${words.outline}</label>
    <button type="button">${words.close}</button></header>
  <div class="panes" tabindex="0" role="application" aria-label="${words.panes}">
    ${[words.before, words.after].map((name) =>
      `<figure><img alt="" draggable="false"><img alt="" class="doubt" draggable="false"><figcaption>${name}</figcaption></figure>`).join("")}
    <div class="overview" aria-hidden="true"><img alt="" draggable="false"><i></i></div>
  </div>
  <p role="status"></p>`;
document.body.append(dialog);
const panes = dialog.querySelector(".panes"), figures = [...dialog.querySelectorAll("figure")];
const overview = dialog.querySelector(".overview"), status = dialog.querySelector("[role=status]");

let at = {across: 0.5, down: 0.5};  // the middle of what is seen
let cut = null, isAsking = false, asksAgain = false, number = 0;

const size = () => [figures[0].clientWidth, figures[0].clientHeight];
const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

const ask = () => {
  if (isAsking) { asksAgain = true; return; }
  isAsking = true;
  const [width, height] = size().map((side) => Math.ceil(side * (1 + 2 * MARGIN)));
  number += 1;  // so that the same part twice is an answer twice
  trigger("select", {...at, width, height, number});
};

// Puts the middle where the panes are full of photo, and says which of its pixels are seen.
const seen = () => {
  const [width, height] = size(), [wide, high] = cut.photo;
  const left = wide <= width ? (wide - width) / 2 : clamp(at.across * wide - width / 2, 0, wide - width);
  const top = high <= height ? (high - height) / 2 : clamp(at.down * high - height / 2, 0, high - height);
  at = {across: (left + width / 2) / wide, down: (top + height / 2) / high};
  return {left: Math.round(left), top: Math.round(top), width, height};
};

const draw = () => {
  if (!cut) return;
  const view = seen(), [wide, high] = cut.photo;
  dialog.querySelectorAll("figure img").forEach((img) => {
    img.style.transform = `translate(${cut.left - view.left}px, ${cut.top - view.top}px)`;
  });
  const frame = overview.querySelector("i").style;
  const share = (value) => `${100 * clamp(value, 0, 1)}%`;
  frame.left = share(view.left / wide);
  frame.top = share(view.top / high);
  frame.width = share(view.width / wide);
  frame.height = share(view.height / high);
  const lacks = Math.max(view.left, 0) < cut.left || Math.max(view.top, 0) < cut.top
    || Math.min(view.left + view.width, wide) > cut.left + cut.width
    || Math.min(view.top + view.height, high) > cut.top + cut.height;
  if (lacks) ask();
};

const show = async () => {
  isAsking = false;
  const next = props.value ? JSON.parse(props.value) : null;
  if (!next || !dialog.open) return;
  const urls = [next.before, next.doubt, next.after, next.doubt];
  const images = [...dialog.querySelectorAll("figure img")];
  // Decoded before they are shown, so that nothing flickers.
  await Promise.all(urls.filter(Boolean).map((url) => Object.assign(new Image(), {src: url}).decode()));
  images.forEach((img, number) => {
    if (urls[number]) img.src = urls[number];
    img.hidden = !urls[number];
  });
  cut = next;
  const [wide, high] = cut.photo;
  status.textContent = `${words.where.replace("WIDE", wide).replace("HIGH", high)} ${next.doubt ? "" : words.certain}`;
  dialog.dataset.ready = "true";
  if (asksAgain) { asksAgain = false; ask(); }
  draw();
};
watch("value", show);

const move = (right, down) => {
  if (!cut) return;
  at = {across: at.across + right / cut.photo[0], down: at.down + down / cut.photo[1]};
  draw();
};

window.opir ??= {};
window.opir.lookCloser = (across = 0.5, down = 0.5) => {
  const picture = document.querySelector("#before-after img");
  if (!picture) { window.opir.tell(words.none); return; }
  at = {across, down};
  cut = null;
  isAsking = asksAgain = false;
  delete dialog.dataset.ready;
  dialog.querySelectorAll("figure img").forEach((img) => { img.removeAttribute("src"); img.hidden = true; });
  overview.querySelector("img").src = picture.src;
  status.textContent = words.fetching;
  dialog.showModal();
  panes.focus();
  ask();
};

dialog.querySelector("header button").onclick = () => dialog.close();
dialog.querySelector("input").onchange = (event) => dialog.classList.toggle("outlined", event.target.checked);
panes.addEventListener("keydown", (event) => {
  const ways = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
  const way = ways[event.key];
  if (!way) return;
  event.preventDefault();
  const [width, height] = size();
  const step = event.shiftKey ? [width, height] : [STEP, STEP];
  move(way[0] * step[0], way[1] * step[1]);
});

let held = null;
panes.addEventListener("pointerdown", (event) => {
  held = {x: event.clientX, y: event.clientY, inOverview: overview.contains(event.target)};
  panes.setPointerCapture(event.pointerId);
  if (held.inOverview) jump(event);
});
panes.addEventListener("pointermove", (event) => {
  if (!held) return;
  if (held.inOverview) { jump(event); return; }
  move(held.x - event.clientX, held.y - event.clientY);
  held = {...held, x: event.clientX, y: event.clientY};
});
["pointerup", "pointercancel"].forEach((end) => panes.addEventListener(end, () => { held = null; }));
const jump = (event) => {
  const box = overview.getBoundingClientRect();
  at = {across: clamp((event.clientX - box.x) / box.width, 0, 1), down: clamp((event.clientY - box.y) / box.height, 0, 1)};
  draw();
};
window.addEventListener("resize", () => { if (dialog.open) draw(); });

// A click on the result, which is no drag of its handle, looks closer there.
let pressed = null;
document.addEventListener("pointerdown", (event) => {
  pressed = event.target.closest("#before-after .slider-wrap") ? [event.clientX, event.clientY] : null;
}, true);
document.addEventListener("click", (event) => {
  const picture = document.querySelector("#before-after img");
  if (!pressed || !picture || event.target.closest("button")) return;
  const box = picture.getBoundingClientRect();
  const shrunk = Math.max(picture.naturalWidth / box.width, picture.naturalHeight / box.height);
  const [width, height] = [picture.naturalWidth / shrunk, picture.naturalHeight / shrunk];
  const across = (event.clientX - box.x - (box.width - width) / 2) / width;
  const down = (event.clientY - box.y - (box.height - height) / 2) / height;
  const isStill = Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < 5;
  if (isStill && across >= 0 && across <= 1 && down >= 0 && down <= 1) window.opir.lookCloser(across, down);
}, true);
