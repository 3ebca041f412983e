import { exceeded, invalid, notFound, validation } from "./model-error.ts";
import { type SecretState, versionOf } from "./secret-state.ts";

const MOST_LABELS = 20;

/** Puts a label on a version, away from whichever has it; AWSPREVIOUS follows AWSCURRENT. */
export function withLabel(state: SecretState, label: string, version: string): SecretState {
  if (label.length < 1 || label.length > 256) throw validation("a staging label has 1 to 256 characters");
  const before = state.labels[label];
  const moved: Record<string, string> = { ...state.labels, [label]: version };
  if (label === "AWSCURRENT" && before !== undefined && before !== version) moved.AWSPREVIOUS = before;
  if (Object.keys(moved).length > MOST_LABELS)
    throw exceeded("You have exceeded the quota for staging labels attached to a secret.");
  return { ...state, labels: moved };
}

/** UpdateSecretVersionStage. Throws without a change unless `from` is the version that bears the label. */
export function moveLabel(
  state: SecretState,
  label: string,
  move: { to?: string; from?: string },
): SecretState {
  const { to, from } = move;
  const bearer = state.labels[label];
  if (to === undefined && from === undefined)
    throw invalid("You must provide MoveToVersionId, RemoveFromVersionId or both.");
  if (to !== undefined && !versionOf(state, to)) throw notFound("secret version");
  if (to === undefined) {
    if (label === "AWSCURRENT")
      throw invalid(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
      );
    if (bearer !== from) throw invalid(`Staging label ${label} isn't attached to version ${from}.`);
    const { [label]: _, ...rest } = state.labels;
    return { ...state, labels: rest };
  }
  if (bearer === to && from === undefined) return state;
  if (bearer !== undefined && from === undefined)
    throw invalid(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${bearer}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  if (from !== undefined && bearer !== from)
    throw invalid(
      `When you move staging label ${label}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${label}.`,
    );
  return withLabel(state, label, to);
}
