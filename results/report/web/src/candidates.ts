import { readHash, writeHash } from "./hash";

/** One candidate at a time below the table; the choice is in the hash, so that a link shows the same view. */
export function enhanceCandidates(shown: () => void): void {
  const pick = document.querySelector<HTMLSelectElement>("#pick");
  const blocks = [...document.querySelectorAll<HTMLElement>("[data-candidate]")];
  if (!pick || blocks.length < 2) return shown();
  document.querySelector<HTMLElement>(".pick")!.hidden = false;
  for (const block of blocks) {
    if (block instanceof HTMLDetailsElement) {
      block.open = true;
      block.querySelector("summary")?.remove();
    }
  }
  const show = (rack: string): void => {
    if (!blocks.some((b) => b.dataset.candidate === rack)) return;
    for (const block of blocks) block.hidden = block.dataset.candidate !== rack;
    pick.value = rack;
    shown();
  };
  const fromHash = (): string | undefined => readHash("rack");
  pick.addEventListener("change", () => {
    writeHash("rack", pick.value);
    show(pick.value);
  });
  document.querySelectorAll<HTMLAnchorElement>("a[data-rack]").forEach((link) =>
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (!blocks.some((b) => b.dataset.candidate === link.dataset.rack)) return;
      writeHash("rack", link.dataset.rack);
      show(link.dataset.rack!);
      document.querySelector(".pick")!.scrollIntoView({ block: "start" });
    }),
  );
  window.addEventListener("hashchange", () => show(fromHash() ?? blocks[0].dataset.candidate!));
  show(fromHash() ?? blocks[0].dataset.candidate!);
}
