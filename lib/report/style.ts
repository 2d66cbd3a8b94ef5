/** The page's style sheet: one column, system fonts, colours that read on light and dark ground. */
export const STYLE = `
:root {
  --ground: #fdfdfc; --ink: #1d2327; --muted: #5a646b; --line: #dcdfe1; --card: #f3f4f4;
  --series-1: #1f6f9f; --series-2: #c9622b; --faint: #a9b0b5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15191c; --ink: #e6e9eb; --muted: #9aa4ab; --line: #333a3f; --card: #1e2428;
    --series-1: #5fb3e0; --series-2: #eb8d57; --faint: #707a81;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 0.75rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 0.5rem; }
.lead { color: var(--muted); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.75rem; margin: 1.5rem 0; }
.card { background: var(--card); border-radius: 0.5rem; padding: 0.9rem 1rem; display: flex; flex-direction: column; }
.card span { color: var(--muted); font-size: 0.875rem; }
.card strong { font-size: 1.9rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
figure { margin: 0; }
figure svg { max-width: 100%; height: auto; overflow: visible; color: var(--ink); }
figcaption { color: var(--muted); font-size: 0.9rem; }
.key { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 0.2em; vertical-align: -0.05em; }
.k1 { background: var(--series-1); } .k2 { background: var(--series-2); } .kf { background: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { text-align: left; padding: 0.35rem 0.7rem 0.35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
th { font-weight: 600; white-space: normal; }
small { color: var(--muted); }
pre { background: var(--card); padding: 1rem; border-radius: 0.5rem; overflow-x: auto; font-size: 0.8rem; }
summary { cursor: pointer; margin-top: 1rem; }
`;
