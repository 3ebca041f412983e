import { RotationError } from "../lib/errors.ts";
import type { ConsumerPolicy, KubernetesReloadPolicy } from "../policy/schema.ts";
import { detail } from "./detail.ts";
import {
  type ExternalSecret,
  errorOf,
  forceSync,
  neverRefreshes,
  readExternalSecret,
} from "./kubernetes/external-secret.ts";
import { timeSaid } from "./kubernetes/fields.ts";
import { type KeyHome, type KubePlace, placeOf } from "./kubernetes/place.ts";
import { type Carried, carried } from "./kubernetes/secret-entry.ts";
import { restart } from "./kubernetes/stamp.ts";
import { readWatched, type WatchedSecret, watchedSecret } from "./kubernetes/watched-secret.ts";
import { workloadRef } from "./kubernetes/workload.ts";
import type { ProbeParts } from "./parts.ts";
import { withPatience } from "./patience.ts";
import { pollDelay } from "./poll.ts";
import type { Expected } from "./probe.ts";

/** Longest pause between two looks at a Secret that is waited for. */
const LONGEST_PAUSE_MS = 2_000;
/** What an ExternalSecret says of itself so soon may be of a refresh before the one asked for. */
const REFRESH_GRACE_MS = 5_000;
/** From the second that the Secret was changed in to one that is later by every server's clock. */
const PAST_SECOND_MS = 2_000;

/**
 * Makes a consumer on Kubernetes read its key again: has the ExternalSecret refreshed, waits until
 * the Secret carries the key, then replaces the workload's pods, in a later second than that of the
 * Secret's change. A repeat finds what is done already and does it no second time. All within the
 * reload's timeout. Throws RotationError, which says what was waited for where that was too short.
 */
export async function reloadKubernetes(
  consumer: ConsumerPolicy,
  policy: KubernetesReloadPolicy,
  timeoutMs: number,
  parts: Pick<ProbeParts, "kube" | "clock">,
  expected: Expected,
  home?: KeyHome,
  outer?: AbortSignal,
): Promise<void> {
  const { clock } = parts;
  let waitsFor = "the Kubernetes API did not answer";
  const late = () => `${waitsFor} within ${timeoutMs / 1_000}s`;

  await withPatience({ ms: timeoutMs, clock, outer, late }, async (signal) => {
    const place = await placeOf(policy.namespace, home, parts);
    const watched = await watchedSecret(place, consumer, home, signal);
    const carries = watched && (await untilCarried(place, watched, signal));
    if (policy.restart === undefined) return;
    const workload = workloadRef(policy.restart);
    if (carries) await laterSecond(place, carries, signal);
    waitsFor = `${workload.said} was not changed`;
    await restart(place, workload, expected, signal);
  });

  async function untilCarried(
    place: KubePlace,
    watched: WatchedSecret,
    signal: AbortSignal,
  ): Promise<Carried> {
    const { name, entry, source } = watched;
    const said = `Secret ${name} in namespace ${place.namespace}`;
    let told: number | undefined;
    for (let attempt = 0; ; attempt += 1) {
      const secret = await readWatched(place, watched, signal);
      const found = secret && carried(secret, expected.fingerprint, entry);
      if (found) return found;
      signal.throwIfAborted();
      waitsFor = secret ? `${said} did not get the new key` : `${said} did not appear`;
      if (source && told === undefined) {
        await tell(place, source);
        told = clock.now();
      } else if (source && clock.now() - (told ?? 0) >= REFRESH_GRACE_MS)
        await expectWell(place, source, signal);
      await clock.sleep(pollDelay(attempt, LONGEST_PAUSE_MS), signal);
    }
  }

  async function tell(place: KubePlace, source: ExternalSecret): Promise<void> {
    const never = neverRefreshes(source);
    if (never) throw new RotationError("unusable", never.why, { hint: never.hint });
    await forceSync(place, source, clock.now());
  }

  async function expectWell(place: KubePlace, { name }: ExternalSecret, signal: AbortSignal): Promise<void> {
    const error = errorOf(await readExternalSecret(place, name, signal));
    if (error === undefined) return;
    const since = error.since === undefined ? "" : ` since ${timeSaid(error.since)}`;
    throw new RotationError("unusable", detail(`ExternalSecret ${name} is in error${since}: ${error.says}`), {
      hint: `kubectl describe externalsecret ${name} --namespace ${place.namespace}`,
    });
  }

  /**
   * The API tells times to the second. When we have seen the Secret with the key its clock had come
   * to the second of the change at least, so that a wait of our own is long enough whatever its
   * clock says; its clock only makes the wait shorter, or longer where its servers disagree.
   */
  async function laterSecond({ kube }: KubePlace, { since }: Carried, signal: AbortSignal): Promise<void> {
    const skew = kube.skewMs();
    const left =
      since === undefined || skew === undefined
        ? PAST_SECOND_MS
        : since + PAST_SECOND_MS - (clock.now() + skew);
    waitsFor = "the API server's clock did not pass the instant of the Secret's change";
    if (left > 0) await clock.sleep(left, signal);
    signal.throwIfAborted();
  }
}
