import { EVENTS, type KubeObject } from "../../kubernetes/api.ts";
import { asRotationError } from "../../lib/errors.ts";
import type { EventRecord } from "../document.ts";
import type { Log } from "./log.ts";
import { JOURNAL_LABEL } from "./names.ts";
import type { ConfigMap, Objects } from "./objects.ts";

/** Kinds of our events that somebody should look at. */
const WARNINGS = /^(block|hold|revert|supersede|lost|gone|refused|overdue)$|fail/;
const LONGEST_MESSAGE = 1_000;
const LONGEST_REASON = 120;
/** What the API server does not take up is dropped from here on. */
const MOST_WAITING = 100;

export interface Announcer {
  /** Hands events over; returns at once, whatever becomes of them. */
  announce(about: ConfigMap, events: readonly EventRecord[]): void;
  /** Resolves when all that was handed over has been sent, or given up. */
  settled(): Promise<void>;
}

/**
 * Repeats the journal's events as Kubernetes Events of their ConfigMap, one after the other, beside
 * the work. The name follows from the event, so that the same one is never shown twice. What fails
 * is said in the log, a missing right once, and nothing waits for it.
 */
export function announcer(objects: Objects, holder: string, log: Log): Announcer {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let refused = false;

  const send = async (about: ConfigMap, event: EventRecord) => {
    try {
      if (!refused)
        await objects.kube.create(
          EVENTS,
          objects.config.namespace,
          asKubeEvent(objects, holder, about, event),
        );
    } catch (thrown) {
      const error = asRotationError(thrown);
      if (error.code === "conflict") return;
      if (error.code === "forbidden") {
        refused = true;
        log("warn", { hint: error.hint }, `events are not shown as Kubernetes Events: ${error.message}`);
      } else
        log("debug", { code: error.code }, `an event is not shown as a Kubernetes Event: ${error.message}`);
    } finally {
      waiting -= 1;
    }
  };
  return {
    announce(about, events) {
      for (const event of events) {
        if (refused || waiting === MOST_WAITING) return;
        waiting += 1;
        last = last.then(() => send(about, event));
      }
    },
    settled: () => last,
  };
}

function asKubeEvent(
  { config }: Objects,
  holder: string,
  { metadata }: ConfigMap,
  { seq, at, kind, reason, message, key, rotation }: EventRecord,
): KubeObject {
  const time = new Date(at).toISOString();
  const event = {
    metadata: {
      name: `${metadata.name}.${seq.toString(16).padStart(8, "0")}`,
      namespace: config.namespace,
      labels: { [JOURNAL_LABEL]: config.name },
      annotations: { "keyturn.dev/key": key, ...(rotation ? { "keyturn.dev/rotation": rotation } : {}) },
    },
    involvedObject: {
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: config.namespace,
      name: metadata.name,
      ...(metadata.uid ? { uid: metadata.uid } : {}),
    },
    type: WARNINGS.test(kind) ? "Warning" : "Normal",
    reason: camelCase(reason).slice(0, LONGEST_REASON),
    action: camelCase(kind).slice(0, LONGEST_REASON),
    message: message.slice(0, LONGEST_MESSAGE),
    firstTimestamp: time.replace(/\.\d+/, ""),
    lastTimestamp: time.replace(/\.\d+/, ""),
    eventTime: time.replace("Z", "000Z"),
    count: 1,
    source: { component: "keyturn" },
    reportingComponent: "keyturn.dev/keyturn",
    reportingInstance: holder.slice(0, 128),
  };
  return event;
}

/** `consumers-confirmed` as `ConsumersConfirmed`. */
function camelCase(code: string): string {
  const words = code.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("") || "Event";
}
