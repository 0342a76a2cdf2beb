import { readHash, writeHash } from "./hash";

const layers = ["power", "thermal"] as const;
type Layer = (typeof layers)[number];

/** Two layers: one a face. One layer: both faces show it. Keys 1 and 2 switch; the choice is in the hash. */
function enhanceLayers(): void {
  const groups = [...document.querySelectorAll<HTMLElement>(".layers")];
  if (groups.length === 0) return;
  const on = new Set<Layer>(layers);
  const wanted = readHash("layer")?.split("+").filter((l): l is Layer => layers.includes(l as Layer));
  if (wanted && wanted.length > 0) {
    on.clear();
    wanted.forEach((l) => on.add(l));
  }
  const show = (): void => {
    const shown = layers.filter((l) => on.has(l));
    document.querySelectorAll<SVGSVGElement>("svg.rack").forEach((svg) => {
      svg.dataset.layer = svg.id.endsWith("-rear") ? shown[shown.length - 1] : shown[0];
    });
    for (const group of groups) {
      group.hidden = false;
      group.querySelectorAll<HTMLButtonElement>("button").forEach((b) =>
        b.setAttribute("aria-pressed", String(on.has(b.dataset.layer as Layer))),
      );
    }
  };
  const toggle = (layer: Layer): void => {
    // The last layer that is on gives way to the other one.
    if (on.has(layer) && on.size === 1) layers.forEach((l) => on.add(l));
    if (on.has(layer)) on.delete(layer);
    else on.add(layer);
    writeHash("layer", on.size === layers.length ? undefined : [...on].join("+"));
    show();
  };
  for (const group of groups) {
    group.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>("button");
      if (button) toggle(button.dataset.layer as Layer);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) return;
    const layer = layers[Number(event.key) - 1];
    if (layer) toggle(layer);
  });
  show();
}

/** Writes the fields of a tray into the table beside the drawing. */
function select(section: Element, slot: string): void {
  section.querySelectorAll(".tray.on").forEach((t) => t.classList.remove("on"));
  section.querySelectorAll(`.tray[data-slot="${CSS.escape(slot)}"]`).forEach((t) => t.classList.add("on"));
  const row = section.querySelector<HTMLTableRowElement>(`tr[data-slot="${CSS.escape(slot)}"]`);
  const table = section.querySelector<HTMLTableElement>("table.selected");
  if (!row || !table) return;
  table.querySelector(".slot")!.textContent = slot;
  [...table.tBodies[0].rows].forEach((line, i) => {
    const from = row.cells[i + 1];
    if (from) line.cells[1].replaceChildren(...[...from.childNodes].map((n) => n.cloneNode(true)));
  });
}

/** Trays are picked with the pointer or, when a rack has the focus, with the arrow keys. */
export function enhanceRacks(): void {
  enhanceLayers();
  document.querySelectorAll<SVGSVGElement>("svg.rack").forEach((rack) => {
    const top = (t: SVGGElement): number => t.querySelector("rect")!.y.baseVal.value;
    const trays = [...rack.querySelectorAll<SVGGElement>(".tray")].sort((a, b) => top(a) - top(b));
    const section = rack.closest("section");
    if (trays.length === 0 || !section) return;
    rack.setAttribute("tabindex", "0");
    let at = -1;
    const choose = (i: number): void => {
      at = Math.max(0, Math.min(trays.length - 1, i));
      select(section, trays[at].dataset.slot!);
    };
    trays.forEach((tray, i) => tray.addEventListener("click", () => choose(i)));
    rack.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") choose(at + 1);
      else if (event.key === "ArrowUp") choose(at < 0 ? 0 : at - 1);
      else return;
      event.preventDefault();
    });
  });
  document.querySelectorAll("table.selected").forEach((table) =>
    select(table.closest("section")!, table.querySelector(".slot")!.textContent!),
  );
}
