import type { Findings } from "../findings.ts";
import { ROLLOUT_PROVES } from "../rollout-proves.ts";
import type { ConsumerPolicy } from "../schema.ts";
import type { Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

/** A consumer of a key, and where it stands. */
export interface ConsumerContext {
  key: KeyView;
  view: PolicyView;
  findings: Findings;
  at: Path;
}

/** A rollout is of a workload that somebody restarts, and of pods whose Secret is known; a reload does something. */
export function checkKubernetesConsumer({ probe, reload }: ConsumerPolicy, context: ConsumerContext): void {
  const { key, view, findings, at } = context;
  const path = (...rest: Path) => [...key.path, ...at, ...rest];
  const { kubernetes: rollout } = probe;
  const hook = reload?.kubernetes;
  if (hook && hook.sync === undefined && hook.restart === undefined) {
    findings.fault(
      view.tree,
      path("reload", "kubernetes"),
      "found neither sync nor restart; accepted: one of the two, or both",
    );
  }
  if ((rollout || hook?.restart) && key.policy.name?.endsWith("-")) {
    findings.fault(
      view.tree,
      [...key.path, "name"],
      "it stands in annotations of the workloads that are restarted, and those end with a letter or digit",
    );
  }
  if (!rollout) return;
  findings.note(view.tree, path("probe", "kubernetes"), ROLLOUT_PROVES);
  checkRestart(rollout, hook, context);
  if (rollout.secret !== undefined && hook?.secret !== undefined && rollout.secret !== hook.secret) {
    findings.fault(
      view.tree,
      path("probe", "kubernetes", "secret"),
      `found ${rollout.secret}, and the reload waits for ${hook.secret}`,
      { hint: "its pods read one of the two: name that one" },
    );
  }
  if (rollout.secret === undefined && !hook?.secret && !hook?.sync && !ownSecretFeeds(rollout, context)) {
    findings.fault(
      view.tree,
      path("probe", "kubernetes"),
      "it is not known which Secret its pods read: the key itself does not lie in that namespace",
      { hint: "add secret: NAME" },
    );
  }
}

type Rollout = NonNullable<ConsumerPolicy["probe"]["kubernetes"]>;
type Hook = NonNullable<ConsumerPolicy["reload"]>["kubernetes"];

/** A rollout is confirmed by the stamp that a restart leaves. */
function checkRestart({ rollout, namespace }: Rollout, hook: Hook, context: ConsumerContext): void {
  const { key, view, findings, at } = context;
  const home = homeOf(context)?.namespace;
  const restarts = key.consumers.map((consumer) => consumer?.reload?.kubernetes);
  const place = [...key.path, ...at, "probe", "kubernetes", "rollout"];
  if (hook && (hook.namespace ?? home) !== (namespace ?? home)) {
    findings.fault(view.tree, place, "this is in another namespace than what the reload is about", {
      hint: "give both the same namespace; a workload elsewhere is another consumer",
    });
    return;
  }
  const stamped = restarts.some(
    (one) => one?.restart === rollout && (one.namespace ?? home) === (namespace ?? home),
  );
  if (stamped) return;
  if (hook?.restart === undefined) {
    findings.note(
      view.tree,
      place,
      `nothing here restarts it: whoever does must set the annotation key.keyturn.dev/${key.policy.name ?? "KEY"} of its pod template to the new key's hash, or it is never confirmed`,
    );
    return;
  }
  findings.fault(view.tree, place, `found ${rollout}, and the reload restarts ${hook.restart}`, {
    hint: "probe the workload that is restarted; one more workload is one more consumer",
  });
}

function ownSecretFeeds({ namespace }: Rollout, context: ConsumerContext): boolean {
  const { key, view } = context;
  const store = homeOf(context);
  // A store that is faulty itself is complained about elsewhere.
  if (!store) return !view.stores.has(key.policy.store?.use ?? "") || isFaulty(context);
  return namespace === undefined || namespace === store.namespace;
}

function isFaulty({ key, view }: ConsumerContext): boolean {
  return view.stores.get(key.policy.store?.use ?? "") === undefined;
}

/** The key's own store, where that is in Kubernetes. */
function homeOf({ key, view }: ConsumerContext) {
  const store = view.stores.get(key.policy.store?.use ?? "");
  return store?.type === "kubernetes" ? store : undefined;
}
