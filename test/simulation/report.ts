import type { Campaign } from "./campaign.ts";

const YEAR = 365.25 * 86_400_000;

/** What a campaign has shown, for people. */
export function report(found: Campaign, once: boolean): string {
  const count = (what: string) => found.counts.get(what) ?? 0;
  const group = (prefix: string) =>
    [...found.counts]
      .filter(([what]) => what.startsWith(prefix))
      .map(([what, times]) => [what.slice(prefix.length), times] as const)
      .sort((a, b) => b[1] - a[1]);
  const lines = [
    `seeds          ${number(found.seeds)}, each run ${once ? "once" : "twice"}`,
    `virtual years  ${number(Math.round(found.lasted / YEAR))}`,
    `calls          ${number(count("calls"))}`,
    `keys issued    ${number(count("keys made"))}`,
    `rotations      ${group("rotation ")
      .map(([outcome, times]) => `${number(times)} ${outcome}`)
      .join(", ")}`,
    `kills          ${number(count("kills"))}`,
    "faults and acts by kind:",
    ...group("happening ").map(([act, times]) => `  ${act.padEnd(32)} ${number(times)}`),
    ...(once
      ? []
      : [`runs that were not the same twice: ${found.broken.filter(({ differs }) => differs).length}`]),
    `violations: ${found.broken.filter(({ broken }) => broken.length > 0).length}`,
  ];
  return lines.join("\n");
}

function number(value: number): string {
  return value.toLocaleString("en");
}
