const fields = ["interval", "unit", "origin", "boundary", "window", "basis", "id"] as const;

/** Hover, focus or tap on a number opens one card with interval, origin, boundary, window, basis and id. */
export function enhanceNumbers(): void {
  const card = document.createElement("div");
  card.className = "card";
  card.hidden = true;
  card.setAttribute("role", "tooltip");
  card.id = "number-card";
  document.body.append(card);
  let pinned: HTMLElement | null = null;

  const open = (number: HTMLElement): void => {
    const title = document.createElement("b");
    title.textContent = number.dataset.label ?? number.textContent;
    const list = document.createElement("dl");
    for (const field of fields) {
      const text = number.dataset[field];
      if (!text) continue;
      const term = document.createElement("dt");
      term.textContent = field === "interval" ? "90 % interval" : field;
      const value = document.createElement("dd");
      value.textContent = text;
      list.append(term, value);
    }
    if (number.classList.contains("x")) {
      const term = document.createElement("dt");
      term.textContent = "range";
      const value = document.createElement("dd");
      value.textContent = "extrapolated";
      list.append(term, value);
    }
    card.replaceChildren(title, list);
    card.hidden = false;
    const box = number.getBoundingClientRect();
    const left = Math.min(box.left + scrollX, scrollX + innerWidth - card.offsetWidth - 12);
    card.style.left = `${Math.max(8, left)}px`;
    const below = box.bottom + card.offsetHeight + 8 < innerHeight;
    card.style.top = `${scrollY + (below ? box.bottom + 6 : box.top - card.offsetHeight - 6)}px`;
  };
  const close = (): void => {
    if (!pinned) card.hidden = true;
  };
  const number = (target: EventTarget | null): HTMLElement | null =>
    target instanceof Element ? target.closest<HTMLElement>(".n[data-origin]") : null;

  document.querySelectorAll<HTMLElement>(".n[data-origin]").forEach((n) => (n.tabIndex = 0));
  document.addEventListener("pointerover", (e) => {
    const n = number(e.target);
    if (n && !pinned) open(n);
  });
  document.addEventListener("pointerout", (e) => number(e.target) && close());
  document.addEventListener("focusin", (e) => {
    const n = number(e.target);
    if (n) open(n);
  });
  document.addEventListener("focusout", close);
  document.addEventListener("click", (e) => {
    const n = number(e.target);
    pinned = n && n !== pinned ? n : null;
    if (n && pinned) open(n);
    else close();
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      pinned = null;
      close();
    }
    if (e.key === "Enter" && document.activeElement instanceof HTMLElement && number(document.activeElement)) {
      pinned = document.activeElement;
    }
  });
}
