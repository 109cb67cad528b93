() => {
  const words = WORDS;
  const page = window.opir;
  const byId = (id) => document.getElementById(id);
  const isShown = (box) => Boolean(box) && box.offsetParent !== null;
  const isEmpty = (box) => box.querySelector("input[type=file]") !== null;

  const openTab = (name) => {
    const tabs = [...document.querySelectorAll("#tabs > .tab-wrapper button[role=tab]")];
    tabs.find((tab) => tab.textContent.trim() === name)?.click();
  };

  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-tab]")?.dataset.tab;
    if (tab) openTab(tab);
  });

  // Hands files to a box as if they had been chosen in it. A box for one photo lets go of the one that it has, or that
  // is still on its way.
  const fill = (id, files, empties, tries = 200) => {
    const box = byId(id), input = box?.querySelector("input[type=file]");
    if (input && isShown(box)) {
      const kept = new DataTransfer();
      files.forEach((file) => kept.items.add(file));
      input.files = kept.files;
      input.dispatchEvent(new Event("change", {bubbles: true}));
      return;
    }
    if (!input && empties) box?.querySelector("button[aria-label]")?.click();
    if (tries > 0) setTimeout(() => fill(id, files, empties, tries - 1), 50);
  };
  const replace = (id, files) => fill(id, files, true);
  const addToMany = (files) => {
    openTab(words.many);
    fill("many-photos", files, false);
  };

  // Where files go: where they were dropped, else into what the tab that is shown takes, else to "Clean a photo".
  const take = (files, place) => {
    if (isShown(byId("many-photos"))) return addToMany(files);
    const pair = ["measure-degraded", "measure-clean"];
    const measured = isShown(byId(pair[0]));
    if (files.length > 1) {
      page.tell(words.several.replace("COUNT", files.length), words.openMany, () => addToMany(files));
    } else if (measured) {
      const meant = pair.find((id) => byId(id).contains(place));
      replace(meant ?? pair.find((id) => isEmpty(byId(id))) ?? pair[0], files);
    } else {
      if (!isShown(byId("photo"))) openTab(words.clean);
      replace("photo", files);
    }
  };

  const filesIn = async (entry) => {
    if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
    const reader = entry.createReader(), found = [];
    for (let some = [null]; some.length;) {
      some = await new Promise((done, failed) => reader.readEntries(done, failed));
      found.push(...some);
    }
    return (await Promise.all(found.map(filesIn))).flat();
  };
  const dropped = (transfer) => {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    if (!entries.some((entry) => entry.isDirectory)) return Promise.resolve([...transfer.files]);
    return Promise.all(entries.map(filesIn)).then((found) => found.flat());
  };

  // Of many files only what may be a photo is sent; what is not is named. One that is too large would keep all back.
  const ending = new RegExp(words.endings, "i");
  const most = window.gradio_config?.max_file_size ?? Infinity;
  const isOther = (file) => file.type && !file.type.startsWith("image/") && !ending.test(file.name);
  const mayBePhoto = (file) => !isOther(file) && file.size <= most;  // the server looks into those of no known kind
  const sift = (event) => {
    const input = event.target;
    if (!(input.matches?.("input[type=file]") && (input.multiple || input.webkitdirectory))) return;
    const files = [...input.files], photos = files.filter(mayBePhoto);
    if (photos.length === files.length) return;
    const names = files.filter((file) => !mayBePhoto(file)).map((file) => file.name);
    const shown = names.length > 4 ? [...names.slice(0, 3), `+ ${names.length - 3}`] : names;
    const nothing = input.webkitdirectory ? words.noneInFolder : words.noneAmong;
    page.tell(photos.length ? words.leftOut.replace("NAMES", shown.join(", ")) : nothing);
    if (!photos.length) { event.stopImmediatePropagation(); input.value = ""; return; }
    const kept = new DataTransfer();
    photos.forEach((file) => kept.items.add(file));
    input.files = kept.files;
  };
  document.addEventListener("change", sift, true);

  // A drop never opens a file in the tab, wherever it lands.
  let isOwn = false, depth = 0;
  const light = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragstart", () => { isOwn = true; });
  document.addEventListener("dragend", () => { isOwn = false; });
  document.addEventListener("dragenter", () => { depth += 1; light(!isOwn); });
  document.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) light(false); });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = isOwn ? "none" : "copy";
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    light(false);
    if (isOwn) return;
    page.hush();
    const hasAddress = [...event.dataTransfer.types].some((type) => type === "text/uri-list" || type === "text/html");
    dropped(event.dataTransfer).then((files) => {
      if (files.length) take(files, event.target);
      else page.tell(hasAddress ? words.elsewhere : words.nothing);
    }).catch(() => page.tell(words.nothing));
  }, true);

  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    page.hush();
    take(files, event.target);
  });
}
