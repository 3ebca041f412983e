import { faultyAnswer, type Handler } from "./fault-answers.ts";
import { type Fault, Faults, type Operation } from "./faults.ts";
import type { LoggedRequest } from "./model-types.ts";
import type { ProviderModel } from "./provider-model.ts";

/** A request as an API's answers are computed from it. */
export interface Call {
  operation: Operation | undefined;
  method: string;
  /** Without a trailing slash. */
  path: string;
  query: URLSearchParams;
  /** The credential of the Authorization header; empty without one. */
  credential: string;
  body: string;
}

/** `json` left out: an answer without a body. */
export interface Reply {
  status: number;
  json?: unknown;
  /** In place of `json`, as plain text. */
  text?: string;
}

/** What sets one provider's API apart from another's. */
export interface Api {
  /** What a fault can strike; undefined for a path that the API doesn't have. */
  operationOf(method: string, path: string): Operation | undefined;
  answer(call: Call): Reply;
  /** The API's own error of a status. */
  refuse(status: number, message: string): Reply;
}

/** Serves an API over a model, with latency and faults. Every request that arrives is in `model.requests`, faults included. */
export function serveApi(model: ProviderModel, api: Api, faults = new Faults()): Handler {
  return async (request) => {
    const url = new URL(request.url);
    const logged: LoggedRequest = {
      at: model.clock.now(),
      method: request.method,
      path: url.pathname,
      status: 0,
    };
    model.requests.push(logged);
    const call = await readCall(request, url, api);
    const { latency, lateDelay } = model.knobs;
    if (latency > 0) await model.clock.sleep(latency);

    const perform = () => toResponse(model, api.answer(call));
    const fault: Fault | undefined = call.operation && faults.take(call.operation);
    const response = fault
      ? await faultyAnswer(fault, {
          perform,
          performLater: () => model.defer(lateDelay, () => void api.answer(call)),
          refuse: (status) => toResponse(model, api.refuse(status, "Injected fault")),
          signal: request.signal,
        })
      : perform();
    const whole = fault?.kind !== "truncated" && fault?.kind !== "endless";
    logged.status = whole ? response.status : 0;
    return response;
  };
}

async function readCall(request: Request, url: URL, api: Api): Promise<Call> {
  const path = url.pathname.replace(/\/$/, "");
  return {
    operation: api.operationOf(request.method, path),
    method: request.method,
    path,
    query: url.searchParams,
    credential: /^Bearer\s+(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "",
    body: await request.text(),
  };
}

function toResponse(model: ProviderModel, { status, json, text }: Reply): Response {
  const body = text ?? (json === undefined ? null : JSON.stringify(json));
  const date = new Date(model.clock.now()).toUTCString();
  if (body === null) return new Response(null, { status, headers: { date } });
  return new Response(body, {
    status,
    headers: {
      "content-type": text === undefined ? "application/json" : "text/plain",
      "content-length": String(Buffer.byteLength(body)),
      date,
    },
  });
}

/** `sk-or-v1-abc...wxyz`: enough to tell keys apart, too little to use one. */
export function mask(credential: string): string {
  return `${credential.slice(0, 12)}...${credential.slice(-4)}`;
}
