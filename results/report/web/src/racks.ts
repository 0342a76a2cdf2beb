/** Which layer each face shows is fixed in the page; here trays are picked with the pointer or the arrow keys. */
export function enhanceRacks(): void {
  document.querySelectorAll<SVGSVGElement>("svg.rack").forEach((rack) => {
    const trays = [...rack.querySelectorAll<SVGGElement>(".tray")].sort(
      (a, b) => a.querySelector("rect")!.y.baseVal.value - b.querySelector("rect")!.y.baseVal.value,
    );
    if (trays.length === 0) return;
    rack.setAttribute("tabindex", "0");
    let at = -1;
    const choose = (i: number): void => {
      at = Math.max(0, Math.min(trays.length - 1, i));
      const slot = trays[at].dataset.slot!;
      const section = rack.closest("section")!;
      section.querySelectorAll(".tray.on").forEach((t) => t.classList.remove("on"));
      section.querySelectorAll(`.tray[data-slot="${CSS.escape(slot)}"]`).forEach((t) => t.classList.add("on"));
      const row = section.querySelector<HTMLElement>(`tr[data-slot="${CSS.escape(slot)}"]`);
      const side = section.querySelector(".side");
      if (!row || !side) return;
      let chosen = side.querySelector(".chosen-tray");
      if (!chosen) {
        chosen = document.createElement("div");
        chosen.className = "chosen-tray";
        chosen.setAttribute("aria-live", "polite");
        side.append(chosen);
      }
      const heads = [...row.closest("table")!.querySelectorAll("thead th")].map((h) => h.textContent ?? "");
      const list = document.createElement("dl");
      list.className = "lines";
      [...row.children].forEach((cell, i2) => {
        if (i2 === 0) return;
        const line = document.createElement("div");
        line.textContent = `${heads[i2]}: ${cell.textContent}`;
        list.append(line);
      });
      const title = document.createElement("p");
      title.className = "lt";
      title.innerHTML = "<b></b>";
      title.firstElementChild!.textContent = `Selected: ${slot}`;
      chosen.replaceChildren(title, list);
    };
    trays.forEach((tray, i) => tray.addEventListener("click", () => choose(i)));
    rack.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") choose(at + 1);
      else if (event.key === "ArrowUp") choose(at < 0 ? 0 : at - 1);
      else return;
      event.preventDefault();
    });
  });
}
