/** How the page for a frame looks: all picture, the line on its lower edge. */
export const TILE_CSS = `
:root { color-scheme: dark; }
html, body { height: 100%; }
body { margin: 0; overflow: hidden; background: #000; color: #fff; font: 0.75rem/1.4 system-ui, sans-serif; }
video { display: block; width: 100%; height: 100%; object-fit: contain; pointer-events: none; }
#state {
  position: absolute; inset: auto 0 0 0; margin: 0; padding: 1.1rem 0.6rem 0.4rem; overflow: hidden;
  background: linear-gradient(transparent, #000c); text-overflow: ellipsis; white-space: nowrap; font-variant-numeric: tabular-nums;
}
#state:empty { display: none; }
`;
