#pragma once

namespace waystation::bench {

// The style sheet of the HTML report. The colours of series c0 .. c5 are told apart by people who do not see all
// colours, and on paper by their dashes.
inline constexpr char kHtmlStyle[] = R"(
:root { color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2128; --soft: #59636e; --rule: #d1d9e0; --grid: #e4e8ec; --fine: #f1f3f5;
  --band: #8c6d1f22; --event: #8c6d1f; --bad: #b3261e;
  --c0: #0b63b0; --c1: #cf5b00; --c2: #0a7d5a; --c3: #a3348a; --c4: #8a6d00; --c5: #6e7781; }
@media screen and (prefers-color-scheme: dark) { :root {
  --paper: #14181d; --ink: #e3e8ee; --soft: #9aa6b2; --rule: #3a434d; --grid: #2a3139; --fine: #20262d;
  --band: #e3c14a2b; --event: #e3c14a; --bad: #ff8a80;
  --c0: #6cb6ff; --c1: #ff9d57; --c2: #4cc9a0; --c3: #e58fd0; --c4: #e3c14a; --c5: #9aa6b2; } }
* { box-sizing: border-box; }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif;
  margin: 0 auto; padding: 28px 24px 48px; max-width: 940px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 32px 0 8px; }
p { margin: 4px 0 12px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 12px 0; font-size: 13px; }
dt { color: var(--soft); }
dd { margin: 0; }
.soft, .none { color: var(--soft); font-size: 13px; }
table + .soft { margin-top: 8px; }
.bad { color: var(--bad); font-weight: 600; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 16px 0 8px; padding: 0; list-style: none; }
.tiles li { flex: 1 1 140px; border: 1px solid var(--rule); border-radius: 6px; padding: 8px 12px; }
.tiles b { display: block; font-size: 21px; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--rule); padding: 4px 8px; text-align: right; vertical-align: top; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child, .text { text-align: left; }
td:nth-child(-n+4) { white-space: nowrap; }
tr.sum td { border-top: 2px solid var(--rule); font-weight: 600; }
figure { margin: 20px 0 0; }
figcaption { font-weight: 600; font-size: 15px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; list-style: none; margin: 2px 0 0; padding: 0;
  font-size: 12.5px; color: var(--soft); }
.key { width: 22px; height: 10px; margin-right: 6px; display: inline-block; }
figure > svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
svg .label { font-size: 12px; }
svg .mark { fill: var(--event); font-weight: 600; }
.grid { stroke: var(--grid); stroke-width: 1; }
.fine { stroke: var(--fine); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.band { fill: var(--band); }
.event { stroke: var(--event); stroke-width: 1.5; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); } .line.c2 { stroke: var(--c2); }
.line.c3 { stroke: var(--c3); } .line.c4 { stroke: var(--c4); } .line.c5 { stroke: var(--c5); }
.bar { shape-rendering: crispEdges; }
.bar.c0 { fill: var(--c0); } .bar.c1 { fill: var(--c1); } .bar.c2 { fill: var(--c2); }
.bar.c3 { fill: var(--c3); } .bar.c4 { fill: var(--c4); } .bar.c5 { fill: var(--c5); }
.line.dashed { stroke-dasharray: 5 4; }
@media print {
  @page { size: A4; margin: 14mm; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  figure, tr, .tiles { break-inside: avoid; }
  h2 { break-after: avoid; }
  .tiles li { flex-basis: 100px; }
  figure { margin-top: 12px; }
  figure > svg { max-height: 82mm; }
  .line.c1 { stroke-dasharray: 7 2; } .line.c2 { stroke-dasharray: 2 2; } .line.c3 { stroke-dasharray: 9 2 2 2; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)";

}  // namespace waystation::bench
