import { type FSWatcher, readFileSync, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fingerprint } from "./lib/secret.ts";

export { fingerprint };

export interface WatchOptions {
  /** The file is a JSON object and this its field; without it the whole file is the key. */
  field?: string;
  /** Called with each key that comes after the first reading, and the one before it. What it throws is not caught. */
  onChange?: (key: string, previous: string | undefined) => void;
  /** How often the file is read even without a notice from the system, in milliseconds; default 2000. */
  intervalMs?: number;
  /** Ends the watching, as `close` does. */
  signal?: AbortSignal;
}

export interface KeyWatch {
  /** The key as last read; undefined until the file has held one. */
  current(): string | undefined;
  /** Reads the file now. */
  refresh(): Promise<void>;
  close(): void;
}

/**
 * Reads the key from the file that keyturn's store keeps for consumers, at once, and again whenever
 * it changes. A file that is missing, empty or not (yet) valid changes nothing: the key last read
 * stays. Does not keep the process alive.
 */
export function watchKey(file: string, options: WatchOptions = {}): KeyWatch {
  const folder = dirname(file);
  let key = firstReading(file, options.field);
  let watcher: FSWatcher | undefined;
  let reading: Promise<void> | undefined;
  let again = false;
  let closed = false;

  async function read(): Promise<void> {
    try {
      while (again) {
        again = false;
        const next = extract(await readFile(file, "utf8").catch(() => ""), options.field);
        if (closed || next === undefined || next === key) continue;
        const previous = key;
        key = next;
        options.onChange?.(next, previous);
      }
    } finally {
      reading = undefined;
    }
  }

  /** One reading at a time, so that an older content never replaces a newer one. */
  function refresh(): Promise<void> {
    again = true;
    reading ??= read();
    return reading;
  }

  /** The folder, not the file: a file replaced by rename is another file, and a mounted one a symbolic link. */
  function follow(): void {
    try {
      watcher ??= watch(folder, { persistent: false }, () => void refresh()).on("error", () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      // The folder is not there yet, or cannot be watched: the interval goes on.
    }
  }

  function close(): void {
    closed = true;
    clearInterval(timer);
    watcher?.close();
    options.signal?.removeEventListener("abort", close);
  }

  const timer = setInterval(() => {
    follow();
    void refresh();
  }, options.intervalMs ?? 2_000).unref();
  follow();
  void refresh();
  if (options.signal?.aborted) close();
  options.signal?.addEventListener("abort", close, { once: true });
  return { current: () => key, refresh, close };
}

function firstReading(file: string, field: string | undefined): string | undefined {
  try {
    return extract(readFileSync(file, "utf8"), field);
  } catch {
    return undefined;
  }
}

function extract(text: string, field: string | undefined): string | undefined {
  if (field === undefined) return text.trim() || undefined;
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document !== "object" || document === null || !Object.hasOwn(document, field))
      return undefined;
    const value = (document as Record<string, unknown>)[field];
    return typeof value === "string" ? value.trim() || undefined : undefined;
  } catch {
    return undefined;
  }
}

export interface HealthBody {
  status: string;
  instance: string;
  keys: Record<string, { serving: string | null; holding: string[] }>;
}

/**
 * The answer by which keyturn's probe recognises the key. For each key by its name in rotation.yaml:
 * `serving`, the one that requests are made with now, and `holding`, others not yet let go of. Keys
 * or fingerprints of keys: only fingerprints get into the answer. Answer with HTTP 200 and `status`
 * left out when the service is well.
 */
export function healthBody(health: {
  status?: string;
  instance: string;
  keys: Record<string, { serving: string | undefined; holding?: Iterable<string> }>;
}): HealthBody {
  return {
    status: health.status ?? "ok",
    instance: health.instance,
    keys: Object.fromEntries(
      Object.entries(health.keys).map(([name, { serving, holding = [] }]) => [
        name,
        {
          serving: serving === undefined ? null : named(serving),
          holding: [...new Set([...holding].map(named))],
        },
      ]),
    ),
  };
}

function named(key: string): string {
  return /^sha256:[0-9a-f]{16,64}$/.test(key) ? key : fingerprint(key);
}
