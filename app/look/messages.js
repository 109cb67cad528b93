() => {
  const words = WORDS;
  const notice = document.createElement("div");
  notice.id = "notice";
  notice.setAttribute("role", "alert");
  document.body.append(notice);
  const page = window.opir ??= {};

  // One line at the foot of the window, which stays until the visitor does something else.
  page.tell = (sentence, offer = "", act = null) => {
    const text = document.createElement("p");
    text.textContent = sentence;
    const buttons = [[words.close, page.hush]];
    if (act) buttons.unshift([offer, () => { page.hush(); act(); }]);
    notice.replaceChildren(text, ...buttons.map(([name, click]) => {
      const button = document.createElement("button");
      button.textContent = name;
      button.onclick = click;
      return button;
    }));
  };
  page.hush = () => notice.replaceChildren();
  document.addEventListener("click", (event) => {
    if (event.isTrusted && event.target.closest("button, input, label, [role=tab]") && !notice.contains(event.target)) page.hush();
  }, true);

  // What Gradio says for some seconds in a corner is told there too, and in the page's own words.
  const tooLarge = /^File\(s\) exceed the maximum allowed size of [^:]*: (.*)$/s;
  const told = new WeakSet();
  const tell = () => {
    document.querySelectorAll("[data-testid=toast-text]").forEach((toast) => {
      const refused = tooLarge.exec(toast.textContent);
      if (refused) toast.textContent = words.tooLarge.replace("NAME", () => refused[1].replaceAll('"', ""));
      if (toast.textContent && !told.has(toast)) {
        told.add(toast);
        page.tell(toast.textContent);
      }
    });
    document.querySelectorAll(words.boxes).forEach((box) => box.querySelector(".clear-status button")?.click());
  };
  new MutationObserver(tell).observe(document.body, {childList: true, subtree: true});
}
