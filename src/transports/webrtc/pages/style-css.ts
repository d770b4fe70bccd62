/** How both pages look: one column on a phone, two beside each other on a wide screen. */
export const PAGE_CSS = `
:root { color-scheme: light dark; --edge: #8886; --good: #15803d; --bad: #b91c1c; --accent: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --good: #4ade80; --bad: #f87171; --accent: #60a5fa; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; }
h1 { font-size: 1.4rem; margin: 0; }
a { color: var(--accent); }
main { display: grid; gap: 1rem; margin-top: 1rem; }
@media (min-width: 56rem) { main { grid-template-columns: 3fr 2fr; align-items: start; } }
video { width: 100%; aspect-ratio: 16 / 9; background: #000; border-radius: 0.5rem; }
form { display: grid; gap: 0.75rem; }
label { display: grid; gap: 0.25rem; font-weight: 600; }
input, select, button { font: inherit; font-weight: 400; width: 100%; min-height: 2.75rem; padding: 0.4rem 0.7rem; border: 1px solid var(--edge); border-radius: 0.4rem; }
button { font-weight: 600; cursor: pointer; }
button[type='submit'] { background: var(--accent); border-color: transparent; color: #fff; }
@media (prefers-color-scheme: dark) { button[type='submit'] { color: #000; } }
button:disabled { opacity: 0.5; cursor: default; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
small { font-weight: 400; opacity: 0.75; }
#state { margin: 0; font-size: 1.1rem; font-weight: 600; }
#state[data-state='live'] { color: var(--good); }
#problem { margin: 0; color: var(--bad); overflow-wrap: anywhere; }
#problem:empty { display: none; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0.1rem 1rem; margin: 0; }
dt { opacity: 0.75; }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
`;
