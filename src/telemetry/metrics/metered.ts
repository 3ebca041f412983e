import type { Clock } from "../../lib/clock.ts";
import { asRotationError } from "../../lib/errors.ts";
import type { Attachments, Provider } from "../../providers/provider.ts";
import type { Store } from "../../stores/store.ts";
import type { Called, CallMeter } from "./call-meter.ts";

interface Meters {
  meter: CallMeter;
  clock: Clock;
}

type Timed = <T>(operation: string, call: () => Promise<T>) => Promise<T>;

/** The same provider, of whose calls the meter is told. */
export function meteredProvider(provider: Provider, meters: Meters): Provider {
  const { name, attachments } = provider;
  const timed = timer("provider", name, meters);
  const uncarried = provider.uncarried?.bind(provider);
  return {
    name,
    skewMs: () => provider.skewMs(),
    list: (workspaces) => timed("list", () => provider.list(workspaces)),
    get: (hash) => timed("get", () => provider.get(hash)),
    create: (keyName, settings) => timed("create", () => provider.create(keyName, settings)),
    update: (hash, patch) => timed("update", () => provider.update(hash, patch)),
    delete: (hash) => timed("delete", () => provider.delete(hash)),
    current: (key) => timed("current", () => provider.current(key)),
    ...(attachments && { attachments: meteredAttachments(attachments, timed) }),
    ...(uncarried && { uncarried: (hash) => timed("uncarried", () => uncarried(hash)) }),
  };
}

function meteredAttachments(attachments: Attachments, timed: Timed): Attachments {
  return {
    read: (hash) => timed("read_attachments", () => attachments.read(hash)),
    put: (hash, wanted) => timed("put_attachments", () => attachments.put(hash, wanted)),
  };
}

/** The same store, of whose calls the meter is told; a check is none of them. */
export function meteredStore(store: Store, meters: Meters): Store {
  const { name, location } = store;
  const timed = timer("store", name, meters);
  const check = store.check?.bind(store);
  const letGo = store.letGo?.bind(store);
  return {
    name,
    location,
    observe: (ref) => timed("observe", () => store.observe(ref)),
    claim: (ref, owner, options) => timed("claim", () => store.claim(ref, owner, options)),
    stage: (ref, request) => timed("stage", () => store.stage(ref, request)),
    read: (ref, version) => timed("read", () => store.read(ref, version)),
    promote: (ref, version, base) => timed("promote", () => store.promote(ref, version, base)),
    fence: (ref, base) => timed("fence", () => store.fence(ref, base)),
    drop: (ref, version) => timed("drop", () => store.drop(ref, version)),
    ...(letGo && { letGo }),
    ...(check && { check }),
  };
}

function timer(kind: Called, name: string, { meter, clock }: Meters): Timed {
  return async (operation, call) => {
    const startedAt = clock.now();
    // A clock that was set back makes no call shorter than nothing.
    const ms = () => Math.max(0, clock.now() - startedAt);
    try {
      const result = await call();
      meter.called({ kind, name, operation, outcome: "ok", ms: ms() });
      return result;
    } catch (thrown) {
      meter.called({ kind, name, operation, outcome: asRotationError(thrown).code, ms: ms() });
      throw thrown;
    }
  };
}
