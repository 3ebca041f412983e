import type { KubeRequest } from "../../../src/kubernetes/api.ts";

/** What a request asks for, as the API server reads its path. */
export interface Asked {
  verb: string;
  group: string;
  version: string;
  plural: string;
  namespace: string;
  /** Empty when none is named. */
  name: string;
  /** Empty when the object itself is meant. */
  subresource: string;
}

const VERBS = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

export function parseRequest({ method, path }: Pick<KubeRequest, "method" | "path">): Asked {
  const parts = path.split("/").slice(1).map(decodeURIComponent);
  const core = parts[0] === "api";
  const [group, version] = core ? ["", parts[1] ?? ""] : [parts[1] ?? "", parts[2] ?? ""];
  let rest = parts.slice(core ? 2 : 3);
  let namespace = "";
  if (rest[0] === "namespaces" && rest.length > 2) {
    namespace = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const [plural = "", name = "", subresource = ""] = rest;
  const verb = method === "GET" && name === "" ? "list" : VERBS[method];
  return { verb, group, version, plural, namespace, name, subresource };
}
