import type { core } from "zod";
import { acceptedAt, fieldsAt, namesAcceptedAt, wordsAt } from "./accepted.ts";
import { parseDuration } from "./duration.ts";
import type { Findings } from "./findings.ts";
import { didYouMean } from "./nearest.ts";
import { find, type Path, type Tree } from "./tree.ts";

type Issue = core.$ZodIssue;

/**
 * Turns what zod found wrong into faults at their places: what was found, what is accepted. `base`
 * is where in `tree` the value that zod saw stands. With `partial`, what is missing from a map is
 * no fault (`defaults`); what is missing inside a list still is.
 */
export function explain(
  issues: readonly Issue[],
  tree: Tree,
  findings: Findings,
  { base = [], partial = false }: { base?: Path; partial?: boolean } = {},
): void {
  for (const issue of issues) {
    const path = [...base, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      explainUnion(issue.errors, path, tree, findings, partial);
    } else if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) unknownField(key, path, tree, findings);
    } else if (issue.code === "invalid_key") {
      findings.fault(tree, path, `found this name; accepted: ${namesAcceptedAt(path.slice(0, -1))}`, {
        on: "name",
      });
    } else {
      wrongValue(path, tree, findings, partial);
    }
  }
}

/** Of a union's alternatives, the one that was meant; or what all of them accept. */
function explainUnion(
  alternatives: readonly (readonly Issue[])[],
  path: Path,
  tree: Tree,
  findings: Findings,
  partial: boolean,
): void {
  const ofThatKind = alternatives.filter(
    (issues) => !issues.some((issue) => issue.path.length === 0 && issue.code !== "unrecognized_keys"),
  );
  const fewest = Math.min(...ofThatKind.map((issues) => issues.length));
  const meant = ofThatKind.filter((issues) => issues.length === fewest);
  const [only] = meant;
  if (only && meant.length === 1) {
    explain(only, tree, findings, { base: path, partial });
    return;
  }
  const found = find(tree, path);
  const fields = fieldsAt(path);
  const unknown =
    found?.kind === "map" ? [...found.entries.keys()].filter((key) => !fields.includes(key)) : [];
  for (const key of unknown) unknownField(key, path, tree, findings);
  if (unknown.length === 0) wrongValue(path, tree, findings, partial);
}

function unknownField(key: string, path: Path, tree: Tree, findings: Findings): void {
  const fields = fieldsAt(path, find(tree, path));
  const hint =
    key === "<<"
      ? "put what keys share under `defaults`"
      : path.at(-1) === "defaults" && key === "name"
        ? "each key has a name of its own"
        : didYouMean(key, fields);
  const message = `unknown field${fields.length > 0 ? `; accepted: ${fields.join(", ")}` : ""}`;
  findings.fault(tree, [...path, key], message, { hint, on: "name" });
}

function wrongValue(path: Path, tree: Tree, findings: Findings, partial: boolean): void {
  const found = find(tree, path);
  if (!found) {
    const insideList = path.slice(1).some((step) => typeof step === "number");
    if (!partial || insideList) findings.fault(tree, path, `is missing; accepted: ${acceptedAt(path)}`);
    return;
  }
  findings.fault(tree, path, `found ${describeFound(found)}; accepted: ${acceptedAt(path)}`, {
    hint: hintFor(found, path),
  });
}

/** A value in a few words; what the environment filled in is shown as it was written. */
export function describeFound(tree: Tree): string {
  if (tree.kind === "list") return tree.items.length === 0 ? "an empty list" : "a list";
  if (tree.kind === "map") {
    return tree.entries.size === 0
      ? "an empty map"
      : `a map of ${[...tree.entries.keys()].slice(0, 6).join(", ")}`;
  }
  if (tree.template !== undefined) return `${quote(tree.template)} as the environment fills it in`;
  if (tree.value === null) return "nothing";
  return typeof tree.value === "string" ? quote(tree.value) : String(tree.value);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

function hintFor(found: Tree, path: Path): string | undefined {
  if (found.kind !== "scalar") return undefined;
  const accepted = acceptedAt(path);
  const { value } = found;
  if (value === null) return "give it a value, or remove the line";
  if (typeof value === "number") {
    if (/duration/.test(accepted)) return `add a unit: ${value}s`;
    return /in quotes/.test(accepted) ? `write it in quotes: "${String(value).padStart(4, "0")}"` : undefined;
  }
  if (typeof value !== "string" || found.template !== undefined) return undefined;
  if (accepted === "true or false" && /^(yes|on|no|off)$/i.test(value)) {
    return `write ${/^(yes|on)$/i.test(value) ? "true" : "false"}`;
  }
  if (/number|^\d+$/.test(accepted) && value !== "" && !Number.isNaN(Number(value))) {
    return `write ${value} without quotes`;
  }
  if (/\{ every: /.test(accepted) && !Number.isNaN(parseDuration(value))) return `write { every: ${value} }`;
  return didYouMean(value, wordsAt(path));
}
