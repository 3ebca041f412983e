import type { Fault } from "./faults.ts";

/** A web-standard handler. `Response.error()` stands for a connection that breaks without an answer. */
export type Handler = (request: Request) => Promise<Response>;

const encoder = new TextEncoder();

/**
 * Answers a call as the fault wants it. `perform` is what the call would do and answer without it;
 * `performLater` lets it take effect after the answer; `refuse` is the API's own error of a status.
 */
export async function faultyAnswer(
  fault: Fault,
  call: {
    perform: () => Response;
    performLater: () => void;
    refuse: (status: number) => Response;
    signal: AbortSignal;
  },
): Promise<Response> {
  switch (fault.kind) {
    case "lost-reply":
      call.perform();
      return Response.error();
    case "late":
      call.performLater();
      return Response.error();
    case "reset":
      return Response.error();
    case "timeout":
      await aborted(call.signal);
      return Response.error();
    case "truncated":
      return truncated(call.perform());
    case "wrong-body":
      return withBody(call.perform(), '{"ok":true}');
    case "not-json":
      return withBody(call.perform(), "upstream said: OK");
    case "endless":
      return endless(call.perform());
    case "twice":
      call.perform();
      return call.perform();
    case "redirect":
      return new Response(null, { status: 307, headers: { location: "http://127.0.0.1:9/elsewhere" } });
    case "html":
      return new Response(`<!doctype html><title>${fault.status}</title><h1>Error ${fault.status}</h1>`, {
        status: fault.status,
        headers: { "content-type": "text/html" },
      });
    case "done":
      call.perform();
      return call.refuse(fault.status);
    case "status": {
      const response = call.refuse(fault.status);
      if (fault.retryAfterSeconds !== undefined)
        response.headers.set("retry-after", String(fault.retryAfterSeconds));
      return response;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function withBody(response: Response, body: string | ReadableStream): Response {
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const status = response.status === 204 ? 200 : response.status;
  return new Response(body, { status, headers });
}

/** Half of the body, under the Content-Length of the whole, and then the connection breaks. */
function truncated(response: Response): Response {
  if (!response.body) return Response.error();
  const half = new ReadableStream({
    async start(controller) {
      const whole = new Uint8Array(await response.clone().arrayBuffer());
      controller.enqueue(whole.slice(0, whole.length / 2));
    },
    pull: (controller) => controller.error(new Error("the connection broke")),
  });
  return new Response(half, { status: response.status, headers: response.headers });
}

function endless(response: Response): Response {
  const block = encoder.encode(" ".repeat(64 * 1024));
  return withBody(response, new ReadableStream({ pull: (controller) => controller.enqueue(block) }));
}
