import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../lib/clock.ts";
import { safeHeaders } from "./answer.ts";

/** A change of what the page shows. */
export interface PageChange {
  /** Of all that is shown: equal versions show the same. */
  version: string;
  /** The keys that have changed; left out when there are too many to name. */
  keys?: readonly string[];
}

export interface Watched {
  /** Calls `listener` upon every change, at most once a second, until the function that it gives is called. */
  watch(listener: (change: PageChange) => void): () => void;
  /** What is shown now, as far as it is known without looking. */
  readonly version: string;
}

/** They may be open for hours; the rest of the server's connections stay for those who ask and go. */
const MOST_STREAMS = 16;
const HEARTBEAT_MS = 15_000;
/** Then the client connects anew, and its right is looked at again. */
const LONGEST_MS = 15 * 60_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 3_000;

interface Stream {
  response: ServerResponse;
  until: number;
}

/** Server-sent events of one page to a bounded number of clients. Who does not read is let go. */
export class EventStreams {
  readonly #page: Watched;
  readonly #clock: Clock;
  readonly #streams = new Set<Stream>();
  #stopWatching: (() => void) | undefined;
  #stopHeartbeat: AbortController | undefined;

  constructor(page: Watched, clock: Clock) {
    this.#page = page;
    this.#clock = clock;
  }

  /** Answers with a stream that goes on until either side ends it; false, without an answer, when there are too many, or nobody is there any more. */
  open(request: IncomingMessage, response: ServerResponse): boolean {
    // What has closed already tells nobody, and would keep its place for ever.
    if (response.closed || this.#streams.size >= MOST_STREAMS) return false;
    response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      // A proxy that gathers an answer before it passes it on would show nothing live.
      "x-accel-buffering": "no",
      ...safeHeaders(),
    });
    if (request.method === "HEAD") {
      response.end();
      return true;
    }
    const stream = { response, until: this.#clock.now() + LONGEST_MS };
    this.#streams.add(stream);
    response.once("close", () => this.#left(stream));
    this.#stopWatching ??= this.#page.watch((change) => this.#toAll(messageOf("change", change)));
    if (this.#stopHeartbeat === undefined) void this.#beat();
    this.#to(stream, `retry: ${RETRY_MS}\n${messageOf("version", { version: this.#page.version })}`);
    return true;
  }

  close(): void {
    for (const { response } of this.#streams) response.end();
  }

  #left(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#stopWatching?.();
    this.#stopHeartbeat?.abort();
    this.#stopWatching = undefined;
    this.#stopHeartbeat = undefined;
  }

  async #beat(): Promise<void> {
    const stop = new AbortController();
    this.#stopHeartbeat = stop;
    for (;;) {
      await this.#clock.sleep(HEARTBEAT_MS, stop.signal);
      if (stop.signal.aborted) return;
      const now = this.#clock.now();
      for (const { response, until } of this.#streams) if (now >= until) response.end();
      this.#toAll(": here\n\n");
    }
  }

  #toAll(text: string): void {
    for (const stream of this.#streams) this.#to(stream, text);
  }

  #to({ response }: Stream, text: string): void {
    if (response.writableEnded) return;
    if (!response.write(text)) response.destroy();
  }
}

function messageOf(event: string, change: PageChange): string {
  return `event: ${event}\ndata: ${JSON.stringify(change)}\n\n`;
}
