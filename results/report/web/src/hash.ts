/** The state of the view in the address: `#rack=ID&layer=power`, so that a link shows the same. */
export function readHash(name: string): string | undefined {
  for (const part of location.hash.slice(1).split("&")) {
    const [key, value] = part.split("=");
    if (key !== name || value === undefined) continue;
    try {
      return decodeURIComponent(value);
    } catch {
      return undefined; // a malformed address is ignored
    }
  }
  return undefined;
}

export function writeHash(name: string, value: string | undefined): void {
  const parts = location.hash.slice(1).split("&").filter((part) => part.includes("=") && !part.startsWith(`${name}=`));
  if (value !== undefined) parts.push(`${name}=${encodeURIComponent(value)}`);
  history.replaceState(null, "", parts.length > 0 ? `#${parts.join("&")}` : location.pathname + location.search);
}
