/** Column heads of sortable tables become buttons; figures sort by value, the rest by text. */
export function enhanceTables(): void {
  document.querySelectorAll<HTMLTableElement>("table.sortable").forEach((table) => {
    const body = table.tBodies[0];
    [...table.tHead!.rows[0].cells].forEach((head, column) => {
      if (!head.textContent?.trim() || head.querySelector("svg.bar")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        table.querySelectorAll("th[aria-sort]").forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row: HTMLTableRowElement): [number, string] => {
          const cell = row.cells[column];
          const text = cell.dataset.sort ?? cell.textContent ?? "";
          const number = Number.parseFloat(text.replace(/[\u2009\s]/g, "").replace("\u2212", "-"));
          return [Number.isNaN(number) ? Number.POSITIVE_INFINITY : number, text];
        };
        const rows = [...body.rows].sort((a, b) => {
          const [x, s] = key(a);
          const [y, t] = key(b);
          const order = x === y ? s.localeCompare(t) : x - y;
          return up ? order : -order;
        });
        body.append(...rows);
      });
    });
  });
}
