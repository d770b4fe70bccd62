/** How the page looks: cards on a phone, a table and two columns on a wide screen; light and dark as the system says. */
export const DASHBOARD_CSS = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --card: #fff; --ink: #17202e; --soft: #566173; --edge: #dde1e8; --accent: #1d4ed8; --on-accent: #fff;
  --good: #15703a; --bad: #b3211b; --warn: #8a5300; --bad-ground: #fdecea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f141b; --card: #182029; --ink: #e7ebf1; --soft: #9fabba; --edge: #2c3744; --accent: #7fb0ff; --on-accent: #0b1220;
    --good: #5fd38d; --bad: #ff8f87; --warn: #f2b950; --bad-ground: #3a1d1d;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 84rem; padding: 1rem; background: var(--ground); color: var(--ink); font: 0.9375rem/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.25rem; letter-spacing: -0.01em; }
h2 { margin: 0; font-size: 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin-bottom: 1rem; }
#link { display: flex; gap: 0.45rem; align-items: center; margin: 0 auto 0 0; color: var(--soft); }
#link b { font-weight: 500; }
#link span { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: var(--warn); }
#link[data-link='live'] span { background: var(--good); }
#link[data-link='broken'] span { background: var(--bad); }
button, input { font: inherit; color: inherit; min-height: 2.5rem; padding: 0.35rem 0.8rem; border: 1px solid var(--edge); border-radius: 0.5rem; background: var(--card); }
button { cursor: pointer; font-weight: 500; }
button:hover { border-color: var(--soft); }
button:disabled { opacity: 0.55; cursor: default; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.danger { background: var(--bad); border-color: var(--bad); color: var(--card); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
main:focus { outline: none; }
a { color: var(--accent); }
code { font: 0.9em ui-monospace, monospace; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--card); padding: 0.5rem; z-index: 2; }
.banner { margin: 0 0 1rem; padding: 0.7rem 1rem; border-radius: 0.6rem; background: var(--bad-ground); color: var(--bad); overflow-wrap: anywhere; }
.empty, .note { margin: 0; padding: 1.4rem 1rem; color: var(--soft); text-align: center; }
.problem { color: var(--bad); margin: 0; }
.problem:empty { display: none; }
#login { display: grid; gap: 0.6rem; max-width: 26rem; margin: 12vh auto 0; padding: 1.5rem; border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--card); }
#login label { font-weight: 600; }
#token-help { margin: 0; color: var(--soft); }
#tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.75rem; margin: 0 0 1rem; }
#tiles div { padding: 0.7rem 0.9rem; border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--card); }
#tiles dt { color: var(--soft); font-size: 0.8125rem; }
#tiles dd { margin: 0; font-size: 1.45rem; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
section { margin-bottom: 1rem; border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--card); overflow: hidden; }
.head { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; padding: 0.6rem 1rem; border-bottom: 1px solid var(--edge); min-height: 3.4rem; }
.find { flex: 0 1 18rem; }
.find input { width: 100%; background: var(--ground); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-size: 0.8125rem; font-weight: 500; color: var(--soft); }
th, td { padding: 0.5rem 1rem; vertical-align: middle; }
tbody tr { border-top: 1px solid var(--edge); }
tbody tr.setup { opacity: 0.65; }
td:last-child { text-align: right; }
.path { font-weight: 600; overflow-wrap: anywhere; }
.sub { display: block; color: var(--soft); font-size: 0.8125rem; overflow-wrap: anywhere; }
.tag { display: inline-block; padding: 0 0.45rem; border: 1px solid var(--edge); border-radius: 1rem; font-size: 0.8125rem; white-space: nowrap; }
.tag.publish, .tag.up { color: var(--good); border-color: currentcolor; }
.tag.down { color: var(--bad); border-color: currentcolor; }
.tag.drained { color: var(--warn); border-color: currentcolor; }
.rate { display: flex; gap: 0.6rem; align-items: center; font-variant-numeric: tabular-nums; white-space: nowrap; }
.rate svg { width: 7rem; height: 1.75rem; flex: none; border-bottom: 1px solid var(--edge); }
.rate polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.rate polygon { fill: var(--accent); opacity: 0.13; }
.columns { display: grid; gap: 0 1rem; }
@media (min-width: 60rem) { .columns { grid-template-columns: 3fr 2fr; align-items: start; } }
ol, ul { list-style: none; margin: 0; padding: 0; }
li { padding: 0.65rem 1rem; border-top: 1px solid var(--edge); overflow-wrap: anywhere; }
li:first-child { border-top: 0; }
#refusals { max-height: 34rem; overflow: auto; }
#refusals p { margin: 0.15rem 0 0; }
#refusals .top { display: flex; flex-wrap: wrap; gap: 0.1rem 0.7rem; justify-content: space-between; }
#refusals b { color: var(--bad); }
#refusals time, #refusals .detail { color: var(--soft); font-size: 0.8125rem; }
.fix::before { content: '→ '; color: var(--soft); }
#origins li { display: flex; flex-wrap: wrap; gap: 0.4rem 0.75rem; align-items: center; justify-content: space-between; }
dialog { max-width: min(28rem, calc(100vw - 2rem)); padding: 1.4rem; border: 1px solid var(--edge); border-radius: 0.75rem; background: var(--card); color: var(--ink); overflow-wrap: anywhere; }
dialog::backdrop { background: #0008; }
.buttons { display: flex; gap: 0.75rem; justify-content: flex-end; margin-top: 1.2rem; }
body[data-stale='yes'] main { opacity: 0.55; }
@media (max-width: 47.99rem) {
  body { padding: 0.75rem; }
  thead { display: none; }
  table, tbody { display: block; }
  tbody tr { display: grid; grid-template-columns: 1fr auto; gap: 0.35rem 0.75rem; padding: 0.75rem 1rem; }
  tbody tr:first-child { border-top: 0; }
  tbody td { padding: 0; min-width: 0; }
  td:nth-child(1) { grid-column: 1; }
  td:nth-child(6) { grid-column: 2; grid-row: 1; }
  td:nth-child(2) { grid-area: 2 / 1; }
  td:nth-child(4) { grid-area: 2 / 2; text-align: right; color: var(--soft); }
  td:nth-child(3), td:nth-child(5) { grid-column: 1 / -1; }
  td .sub { display: inline; margin-left: 0.5rem; }
  td:nth-child(1) .sub { display: block; margin-left: 0; }
  #tiles div:last-child { grid-column: 1 / -1; }
  .rate { justify-content: space-between; }
  .rate svg { flex: 1; }
  .find { flex: 1 1 100%; }
  button, input { min-height: 2.75rem; }
}
@media (prefers-reduced-motion: no-preference) { #link[data-link='loading'] span { animation: wait 1.2s infinite alternate; } }
@keyframes wait { to { opacity: 0.3; } }
`;
