const lines = [
  ["Tab", "through controls, racks and numbers"],
  ["1, 2", "power and thermal layer of the rack"],
  ["↑ ↓", "between trays of a rack"],
  ["← →, Shift", "cursor along the time axis by a column, by ten"],
  ["+ − 0", "zoom the time axis, all of it"],
  ["Enter, Esc", "pin and close the card of a number"],
  ["Ctrl + wheel, slider", "zoom the time axis"],
  ["click a column head", "sort"],
];

/** `?` lists the keys. */
export function enhanceHelp(): void {
  let box: HTMLElement | null = null;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || (event.key === "?" && box)) {
      box?.remove();
      box = null;
      return;
    }
    if (event.key !== "?" || event.target instanceof HTMLSelectElement) return;
    box = document.createElement("div");
    box.className = "card help";
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", "Keys");
    const list = document.createElement("dl");
    for (const [key, what] of lines) {
      const term = document.createElement("dt");
      term.textContent = key;
      const value = document.createElement("dd");
      value.textContent = what;
      list.append(term, value);
    }
    box.append(list);
    document.body.append(box);
  });
}
