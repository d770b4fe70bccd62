/** How the wall looks: one picture beside the other as there is room, what is missing in words where the picture would be. */
export const WALL_CSS = `
.wall-tools { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
#wall-pages { display: flex; gap: 0.5rem; }
#wall-note { padding: 0.7rem 1rem; text-align: left; }
#wall { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); gap: 1rem; padding: 0.3rem 1rem 1rem; }
#wall:empty { display: none; }
#wall .tile { padding: 0; border: 1px solid var(--edge); border-radius: 0.6rem; overflow: hidden; }
.screen { position: relative; aspect-ratio: 16 / 9; background: #0b0e13; color: #dfe5ee; }
.screen iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; visibility: hidden; pointer-events: none; }
.screen[data-state='playing'] iframe { visibility: visible; }
.words { position: absolute; inset: 0; display: flex; flex-direction: column; gap: 0.4rem; align-items: center; justify-content: center; padding: 0.8rem; overflow: auto; text-align: center; }
.words p { margin: 0; overflow-wrap: anywhere; }
.words small { color: #9fabba; overflow-wrap: anywhere; }
.words small:empty, .screen[data-state='playing'] .words { display: none; }
.words button { min-height: 2.25rem; color: inherit; background: #1d2733; border-color: #3a4757; }
.foot { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; justify-content: space-between; padding: 0.5rem 0.5rem 0.5rem 0.75rem; }
.foot div { flex: 1 1 11rem; min-width: 0; }
.foot .do { margin-left: auto; }
.foot button { flex: none; min-height: 2.25rem; padding: 0.2rem 0.7rem; }
#streams { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); max-height: 18rem; overflow: auto; border-top: 1px solid var(--edge); }
#streams:empty { display: none; }
#streams li { display: flex; gap: 0.75rem; align-items: center; justify-content: space-between; min-height: 3.2rem; padding: 0.3rem 1rem; border: 0; }
.do { display: flex; flex: none; gap: 0.75rem; align-items: center; }
#streams button { min-height: 2.25rem; padding: 0.2rem 0.7rem; }
.do a { padding: 0.5rem 0; }
@media (max-width: 47.99rem) {
  .foot button, .words button, #streams button { min-height: 2.75rem; }
}
@media (prefers-reduced-motion: no-preference) { .screen[data-state='loading'] p, .screen[data-state='connecting'] p, .screen[data-state='waiting'] p { animation: wait 1.2s infinite alternate; } }
`;
