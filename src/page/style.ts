/** The page's one style sheet: light and dark by the reader's preference, one column on a phone. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --surface: #ffffff; --line: #dde1e6; --text: #1a1f26; --quiet: #57606b;
  --link: #0a58b5; --track: #e3e7ec; --fill: #5b8dc9; --due: #1a1f26;
  --good: #176b36; --good-ground: #e6f4ea;
  --bad: #a9221b; --bad-ground: #fdeceb; --bad-line: #efc1bd;
  --warn: #7d4a00; --warn-ground: #fdf3dd; --warn-line: #ecd7a5;
  --busy: #0a58b5; --busy-ground: #e7f0fb; --busy-line: #b9d3f1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101317; --surface: #181c22; --line: #2c333c; --text: #e7eaee; --quiet: #a2acb8;
    --link: #82b8f5; --track: #2a313a; --fill: #5f93d0; --due: #e7eaee;
    --good: #74d293; --good-ground: #14301f;
    --bad: #ff9f97; --bad-ground: #2f1a19; --bad-line: #63302c;
    --warn: #f0c466; --warn-ground: #332810; --warn-line: #5f4a1c;
    --busy: #8ec0fa; --busy-ground: #132a45; --busy-line: #2a4d77;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; font-variant-ligatures: no-contextual; overflow-wrap: anywhere;
}
.frame { max-width: 68rem; margin: 0 auto; padding-inline: 1.25rem; }
a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; }
ul, ol { padding: 0; list-style: none; }
h2 { font-size: 1.05rem; font-weight: 600; margin-bottom: .75rem; }
.sub { font-weight: 600; }
code { font: .875em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code span { display: inline-block; max-width: 100%; }
.hint code, .problems code, .note code { background: var(--ground); border: 1px solid var(--line); border-radius: 4px; padding: .1em .35em; color: var(--text); }
.quiet { color: var(--quiet); font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--surface); padding: .25rem .5rem; z-index: 1; }

.top { display: flex; align-items: center; gap: .75rem; padding-top: 1.1rem; padding-bottom: .5rem; color: var(--quiet); }
.top .name { color: var(--text); font-weight: 650; letter-spacing: -.01em; text-decoration: none; }
.live { margin-left: auto; display: inline-flex; align-items: center; gap: .45rem; font-size: .875rem; }
.live i { width: .55rem; height: .55rem; border-radius: 50%; background: var(--quiet); }
.live.on i { background: var(--good); }
.live.off i { background: var(--bad); }
.live[hidden] { display: none; }

section { margin-top: 2rem; }
#headline { margin-top: 1rem; }
#headline h1 { font-size: clamp(1.6rem, 4.5vw, 2.1rem); line-height: 1.2; font-weight: 650; letter-spacing: -.02em; }
#headline .sign { display: inline-block; width: .5em; height: .5em; margin-right: .4em; border-radius: 50%; vertical-align: .08em; background: var(--good); }
#headline.bad .sign { background: var(--bad); }
#headline > p { margin-top: .3rem; color: var(--quiet); }
.problems, .warnings { margin-top: .9rem; display: grid; gap: .4rem; }
.problems li, .warnings li { padding: .55rem .8rem; border: 1px solid var(--bad-line); border-radius: 8px; background: var(--bad-ground); color: var(--bad); }
.warnings li { border-color: var(--warn-line); background: var(--warn-ground); color: var(--warn); }

.card { margin-top: 1rem; padding: 1rem 1.25rem 1.1rem; background: var(--surface); border: 1px solid var(--line); border-radius: 12px; display: grid; gap: .85rem; min-width: 0; }
.card > header { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .7rem; }
.card h1 { font-size: 1.5rem; font-weight: 650; letter-spacing: -.015em; }
.card h3 { font-size: 1.1rem; font-weight: 600; }
.card h3 a { color: inherit; text-decoration: none; }
.card h3 a:hover { text-decoration: underline; }
.card dl { display: flex; flex-wrap: wrap; gap: .45rem 2.2rem; font-size: .93rem; }
.card dt { color: var(--quiet); font-size: .85rem; }

.badge { display: inline-block; padding: .08rem .55rem; border: 1px solid var(--line); border-radius: 99px; font-size: .82rem; font-weight: 550; white-space: nowrap; }
.badge.ok { color: var(--good); background: var(--good-ground); border-color: transparent; }
.badge.rotating { color: var(--busy); background: var(--busy-ground); border-color: transparent; }
.badge.held, .badge.failed, .badge.overdue { color: var(--bad); background: var(--bad-ground); border-color: transparent; }
.badge.blocked, .badge.new { color: var(--warn); background: var(--warn-ground); border-color: transparent; }
.badge.suspended { color: var(--quiet); }

.notice { padding: .7rem .9rem; border: 1px solid var(--warn-line); border-radius: 8px; background: var(--warn-ground); }
.notice .title { color: var(--warn); font-weight: 600; }
.notice.bad { border-color: var(--bad-line); background: var(--bad-ground); }
.notice.bad .title { color: var(--bad); }
.message::first-letter, .hint::first-letter, .note::first-letter { text-transform: uppercase; }
.notice .hint { margin-top: .35rem; }
.waits strong { font-weight: 600; }
.note, .retiring { font-size: .93rem; }
.retiring .sub { margin-bottom: .2rem; }

.steps { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); }
.steps li { position: relative; display: grid; align-content: start; justify-items: center; text-align: center; padding-top: 1.6rem; font-size: .9rem; color: var(--quiet); }
.steps li::before { content: ""; position: absolute; top: .5rem; right: 50%; width: 100%; height: 2px; background: var(--line); }
.steps li:first-child::before { display: none; }
.steps .dot { position: absolute; z-index: 1; top: .1rem; left: 50%; width: .9rem; height: .9rem; margin-left: -.45rem; border-radius: 50%; border: 2px solid var(--line); background: var(--surface); }
.steps .phase { color: var(--text); font-weight: 500; }
.steps .ahead .phase { color: var(--quiet); font-weight: 400; }
.steps .means { display: none; }
.steps .at { font-size: .82rem; }
.steps .done::before, .steps .present::before { background: var(--busy); }
.steps .done .dot { background: var(--busy); border-color: var(--busy); }
.steps .present .dot { border-color: var(--busy); box-shadow: 0 0 0 4px var(--busy-ground); }
.steps .present .phase { color: var(--busy); font-weight: 650; }
.steps .held .dot { border-color: var(--bad); box-shadow: 0 0 0 4px var(--bad-ground); }
.steps .held .phase { color: var(--bad); }

.consumers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: .6rem; }
.consumer { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .85rem; }
.consumer .who { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .7rem; }
.consumer .who strong { font-weight: 600; }
.consumer .word { margin-left: auto; color: var(--quiet); font-size: .9rem; }
.consumer.confirmed .word { color: var(--good); }
.consumer.waiting .word { color: var(--warn); }
.streak { color: var(--quiet); font-size: .9rem; }
.consumer.confirmed .streak { color: var(--good); }
.problem { color: var(--bad); font-size: .93rem; }
.instances { margin-top: .25rem; font-size: .93rem; }
.instances li { display: grid; grid-template-columns: 1.1rem minmax(0, 1fr); padding: .08rem 0; }
.instances .sign { color: var(--good); }
.instances .detail { color: var(--quiet); }
.instances .no .sign, .instances .no .detail { color: var(--warn); }

.bar { display: block; overflow: visible; }
.track { fill: var(--track); }
.fill { fill: var(--fill); }
.fill.late { fill: var(--bad); }
rect.due { fill: var(--due); }
rect.expiry { fill: var(--bad); }
.age .words { display: block; font-size: .87rem; color: var(--quiet); }

.timeline { display: block; overflow: visible; }
.timeline text { fill: var(--quiet); font-size: 12px; }
.timeline .count { fill: var(--text); font-weight: 600; }
.timeline line { stroke: var(--line); stroke-width: 1; }
.timeline .axis, .timeline .week { stroke: var(--quiet); }
.timeline .now { stroke: var(--quiet); stroke-dasharray: 2 3; }
.timeline circle { fill: var(--fill); }
.panel, #timeline, #keys, #events { background: var(--surface); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem; min-width: 0; }
ol.due { margin-top: .5rem; display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .25rem 1.5rem; font-size: .93rem; }

.filters { display: flex; flex-wrap: wrap; gap: .6rem 1.25rem; align-items: center; justify-content: space-between; margin-bottom: .6rem; }
.filters ul { display: flex; flex-wrap: wrap; gap: .35rem; }
.filters li a { display: inline-block; padding: .2rem .65rem; border: 1px solid var(--line); border-radius: 99px; color: var(--text); text-decoration: none; font-size: .9rem; }
.filters li a:hover { border-color: var(--quiet); }
.filters li a[aria-current] { background: var(--busy-ground); border-color: var(--busy-line); color: var(--busy); font-weight: 550; }
.figure { color: var(--quiet); }
[aria-current] .figure { color: inherit; }
form { display: flex; gap: .4rem; }
input, button { font: inherit; color: inherit; background: var(--surface); border: 1px solid var(--quiet); border-radius: 7px; padding: .22rem .6rem; min-width: 0; }
input { width: 11rem; }
::placeholder { color: var(--quiet); opacity: 1; }
button { cursor: pointer; }

table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--quiet); font-size: .87rem; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .55rem .9rem .55rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead th { border-top: 0; color: var(--quiet); font-size: .85rem; padding-bottom: .3rem; }
tbody th a { font-weight: 550; }
tbody th .quiet, td .badge + .quiet { display: block; font-size: .85rem; }
td.age { width: 36%; }
#events td { overflow-wrap: anywhere; }
#events th, #events td:first-child, #events .kind { white-space: nowrap; }
#events td .quiet { font-size: .87rem; }
#events td:first-child .quiet { display: block; }
#events .kind { white-space: nowrap; font-weight: 550; }
.pager { display: flex; gap: 1rem; align-items: center; justify-content: center; margin-top: .9rem; }
footer.frame { margin: 2rem auto 2.5rem; color: var(--quiet); font-size: .87rem; }

@media (max-width: 46rem) {
  .frame { padding-inline: .9rem; }
  .card, #timeline, #keys, #events { padding: .95rem; border-radius: 10px; }
  ol.due { grid-template-columns: minmax(0, 1fr); }
  .steps { grid-auto-flow: row; grid-auto-columns: auto; }
  .steps li { grid-template-columns: auto 1fr auto; gap: 0 .6rem; justify-items: start; text-align: left; padding: .22rem 0 .22rem 1.7rem; align-items: baseline; }
  .steps .means { display: block; font-size: .85rem; min-width: 0; }
  .steps .dot { top: .42rem; left: .45rem; }
  .steps li::before { top: .9rem; right: auto; left: calc(.45rem - 1px); width: 2px; height: 100%; }
  .steps li:first-child::before { display: block; }
  .steps li:last-child::before { display: none; }
  .steps .present::before { background: var(--line); }
  .consumer .word { margin-left: 0; }
  .timeline text { font-size: 11px; }
  .filters form { width: 100%; }
  input { flex: 1; width: auto; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, caption { display: block; }
  #keys tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: .1rem .8rem; padding: .7rem 0; border-top: 1px solid var(--line); }
  #keys th, #keys td { border: 0; padding: 0; }
  #keys td:nth-child(2) { text-align: right; }
  #keys td.age { grid-column: 1 / -1; width: auto; }
  #keys td:nth-child(4) { display: none; }
  #keys td:nth-child(5) { grid-column: 1 / -1; font-size: .87rem; color: var(--quiet); }
  #events tbody tr { display: grid; grid-template-columns: auto 1fr; gap: 0 .7rem; padding: .5rem 0; border-top: 1px solid var(--line); }
  #events th, #events td { border: 0; padding: 0; }
  #events td.text { grid-column: 1 / -1; }
}
@media (prefers-reduced-motion: no-preference) {
  .fill, .steps .dot { transition: width .4s, background-color .4s, border-color .4s; }
}
@media (forced-colors: active) {
  .track { fill: GrayText; } .fill, .timeline circle { fill: LinkText; } rect.due, rect.expiry { fill: CanvasText; }
}
`;
