import { type Clock, systemClock } from "../../src/lib/clock.ts";
import type { HttpSend } from "../../src/lib/http.ts";
import { fetchSend } from "../../src/lib/http-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { arouterApi, arouterModel } from "../../src/sandbox/arouter-api.ts";
import type { ARouterDialect } from "../../src/sandbox/arouter-dialect.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import type { ModelOptions, ProviderModel } from "../../src/sandbox/provider-model.ts";
import { serve } from "../../src/sandbox/serve.ts";
import {
  describeProvider,
  type ProviderCapabilities,
  type ProviderUnderTest,
} from "../conformance/provider.ts";
import { arouter } from "../providers/arouter.ts";
import { virtualClock } from "../providers/virtual-clock.ts";

function subject(
  model: ProviderModel,
  baseUrl: string,
  parts: { send: HttpSend; clock: Clock },
  close: () => Promise<void>,
): ProviderUnderTest {
  const withCredential = (credential: string) => arouter(credential, { baseUrl }, parts);
  return {
    provider: withCredential(model.addManagementKey().reveal()),
    withCredential,
    addKeys: (count) =>
      Array.from({ length: count }, (_, i) => model.create({ name: `key ${i}` }).issued.hash),
    close,
  };
}

async function overLoopback(
  dialect: Partial<ARouterDialect> = {},
  options: Partial<ModelOptions> = {},
): Promise<ProviderUnderTest> {
  const model = arouterModel({ clock: systemClock, random: systemRandom, ...options });
  const served = await serve(arouterApi(model, new Faults(), dialect));
  return subject(model, `${served.url}/api/v1`, { send: fetchSend(), clock: systemClock }, served.close);
}

async function inProcess(dialect: Partial<ARouterDialect> = {}): Promise<ProviderUnderTest> {
  const clock = virtualClock(Date.now());
  const model = arouterModel({ clock, random: systemRandom });
  const send = handlerSend(arouterApi(model, new Faults(), dialect), clock);
  return subject(model, "http://sandbox/api/v1", { send, clock }, async () => {});
}

const capabilities: ProviderCapabilities = {
  workspaces: false,
  byok: false,
  restrictions: true,
  attachments: false,
  createShowsSettings: true,
  showsExpiry: true,
};
const suite = (what: string, make: () => Promise<ProviderUnderTest>, differing = {}) =>
  describeProvider(`ARouter's client at the sandbox ${what}`, make, { ...capabilities, ...differing });

suite("over loopback", () => overLoopback());
suite("in process", () => inProcess());
suite(
  "in the dialect of the management-api-keys page",
  () => overLoopback({ created: "flat", limitField: "limit_usd", usage: "object", currentAt: "host" }),
  { createShowsSettings: false },
);
suite("in the dialect of the SDKs", () =>
  overLoopback({ deleted: "enveloped", errors: "text-code", getByHash: "server-404" }));
suite("that answers 401 to ordinary keys", () => overLoopback({}, { ordinaryKeyStatus: 401 }));

const dialects: [string, Partial<ARouterDialect>][] = [
  ["with deletes answered by 204", { deleted: "no-content" }],
  ["with codes of errors as numbers", { errors: "number-code" }],
  ["with flat errors", { errors: "flat" }],
  ["with 405 for a key by its hash", { getByHash: "405" }],
  ["with the API's own 404 for a key by its hash", { getByHash: "api-404" }],
  ["with next_page_token", { nextToken: "next_page_token", largestPage: 50 }],
  ["with a token under pagination", { nextToken: "pagination.next_page_token" }],
  ["with page_token and has_more, offset not heeded", { nextToken: "page_token", offset: "ignored" }],
  ["with pages cut to 20", { largestPage: 20 }],
  ["with pages cut to 50", { largestPage: 50 }],
  ["without pages", { pageSize: "ignored", largestPage: 10_000, offset: "ignored" }],
  ["with pages of 150 whatever is asked", { pageSize: "ignored", largestPage: 150 }],
];
for (const [what, dialect] of dialects) suite(what, () => inProcess(dialect));
