import { formatDuration } from "../duration.ts";
import type { Findings } from "../findings.ts";
import type { Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

/** Durations of nothing where work would be repeated without a pause, and ranges the wrong way round. */
export function checkPauses(key: KeyView, { tree }: PolicyView, findings: Findings): void {
  const { schedule, retry, confirm, windows = [], settings } = key.policy;
  const positive = (value: number | undefined, why: string, ...path: Path) => {
    if (value === 0)
      findings.fault(tree, [...key.path, ...path], `found 0s: ${why}; accepted: a longer duration`);
  };
  if (typeof schedule === "object")
    positive(schedule.every, "it would rotate without end", "schedule", "every");
  positive(retry?.after, "a failed rotation would be tried again without a pause", "retry", "after");
  positive(confirm?.interval, "consumers would be asked without a pause", "confirm", "interval");
  positive(settings?.expiresAfter, "each key would be born expired", "settings", "expiresAfter");
  for (const [index, window] of windows.entries()) {
    positive(window.duration, "the window would never last", "windows", index, "duration");
  }
  for (const [index, consumer] of key.consumers.entries()) {
    positive(consumer?.probe.timeout, "no answer could come in time", "consumers", index, "probe", "timeout");
    positive(
      consumer?.reload?.timeout,
      "no answer could come in time",
      "consumers",
      index,
      "reload",
      "timeout",
    );
  }
  if (retry && retry.max < retry.after) {
    const figures = `${formatDuration(retry.max)} is less than retry.after, ${formatDuration(retry.after)}`;
    findings.fault(
      tree,
      [...key.path, "retry", "max"],
      `${figures}; the pause starts with after and doubles up to max`,
    );
  }
}
