import type { Phase } from "../journal/document.ts";
import type { RotationStatus } from "../rotation/report.ts";
import { type Html, html } from "./html.ts";
import type { LiveKey } from "./live.ts";
import { relative } from "./time.ts";

const FORWARD: readonly Phase[] = [
  "planned",
  "staged",
  "verified",
  "promoted",
  "confirmed",
  "disabled",
  "completed",
];

/** What is durably true once a phase is reached. */
const MEANS: Partial<Record<Phase, string>> = {
  planned: "every consumer answered",
  staged: "the new key is in the store",
  verified: "the new key works",
  promoted: "consumers can read it",
  confirmed: "every consumer uses it",
  disabled: "the old key is refused",
  completed: "nobody missed the old key",
  reverting: "the old key is current again",
  reverted: "every consumer uses the old key",
};

/** The phases of a rotation, with the times at which they were reached. */
export function stepper(rotation: RotationStatus, reached: LiveKey["reached"], now: number): Html {
  const phases = phasesOf(rotation, reached);
  const present = phases.indexOf(rotation.phase);
  const steps = phases.map((phase, index) => {
    const state = index < present ? "done" : index === present ? "present" : "ahead";
    const at = index <= present ? reached?.[phase] : undefined;
    const held = index === present && rotation.held !== undefined && " held";
    return html`<li class="${state}${held}"${state === "present" && html` aria-current="step"`}><span class="dot" aria-hidden="true"></span><span class="phase">${phase}</span><span class="means">${MEANS[phase]}</span><span class="at">${at !== undefined && relative(at, now)}</span></li>`;
  });
  return html`<ol class="steps" aria-label="Phases of this rotation">${steps}</ol>`;
}

/** Back from as far as it came; and without a step that has nothing to disable. */
function phasesOf({ phase, direction, oldHash }: RotationStatus, reached: LiveKey["reached"]): Phase[] {
  if (direction === "back")
    return [...FORWARD.filter((step) => reached?.[step] !== undefined), "reverting", "reverted"];
  return FORWARD.filter((step) => step !== "disabled" || oldHash !== undefined || phase === "disabled");
}
