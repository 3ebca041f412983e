import type { Call, Reply } from "./api-frame.ts";
import type { Operation } from "./faults.ts";
import type { Guardrail } from "./hash-bound.ts";
import { assignmentJson, byokJson, destinationJson, guardrailJson } from "./hash-bound-json.ts";
import { check, text } from "./key-input.ts";
import type { ProviderModel } from "./provider-model.ts";

/** The endpoints of guardrails and of their keys; the lists of BYOK credentials and observability destinations. */

type Refuse = (status: number, message: string) => Reply;
const LARGEST_PAGE = 100;
const DEFAULT_PAGE = 50;

/** What a fault can strike at a path below the API's base; undefined for one that is not served here. */
export function hashBoundOperation(path: string): Operation | undefined {
  if (/^\/guardrails(\/|$)/.test(path)) return "guardrails";
  if (path === "/byok") return "byok";
  return path === "/observability/destinations" ? "destinations" : undefined;
}

export function hashBoundReply(model: ProviderModel, call: Call, account: string, refuse: Refuse): Reply {
  const workspace = call.query.get("workspace_id") ?? model.defaultWorkspace(account);
  if (!model.hasWorkspace(workspace, account)) return refuse(400, "workspace_id: no such workspace");
  const { bound } = model;
  const found = (guardrail: Guardrail | undefined, then: (known: Guardrail) => Reply): Reply =>
    guardrail ? then(guardrail) : refuse(404, "Resource not found");
  const assignments = () =>
    bound.assignments(account).flatMap((assignment) => {
      const key = model.key(assignment.hash, account);
      return key ? [assignmentJson(assignment, key)] : [];
    });
  const [, id = "", rest = ""] = /^\/guardrails\/(?!assignments\/)([^/]+)(.*)$/.exec(call.path) ?? [];
  const route = id ? `/guardrails/{id}${rest}` : call.path;
  const guardrail = bound.guardrail(id, account);

  switch (`${call.method} ${route}`) {
    case "GET /byok":
      return pageOf(bound.restricted("byok", account, workspace).map(byokJson), call, refuse);
    case "GET /observability/destinations":
      return pageOf(
        bound.restricted("destination", account, workspace).map((entry) => destinationJson(entry, workspace)),
        call,
        refuse,
      );
    case "GET /guardrails":
      return pageOf(bound.guardrails(account, workspace).map(guardrailJson), call, refuse);
    case "POST /guardrails":
      return createGuardrail(model, call.body, account, refuse);
    case "GET /guardrails/{id}":
      return found(guardrail, (known) => ({ status: 200, json: { data: guardrailJson(known) } }));
    case "PATCH /guardrails/{id}":
      return found(guardrail, (known) => {
        const change = guardrailFields(call.body);
        if (typeof change === "string") return refuse(400, change);
        return { status: 200, json: { data: guardrailJson(bound.changeGuardrail(known, change)) } };
      });
    case "DELETE /guardrails/{id}":
      return found(guardrail, (known) => {
        bound.deleteGuardrail(known);
        return { status: 200, json: { deleted: true } };
      });
    case "GET /guardrails/assignments/keys":
      return pageOf(assignments(), call, refuse);
    case "GET /guardrails/{id}/assignments/keys":
      return found(guardrail, (known) =>
        pageOf(
          assignments().filter(({ guardrail_id }) => guardrail_id === known.id),
          call,
          refuse,
        ),
      );
    case "POST /guardrails/{id}/assignments/keys":
    case "POST /guardrails/{id}/assignments/keys/remove":
      return found(guardrail, (known) => {
        const hashes = keyHashes(call.body);
        if (typeof hashes === "string") return refuse(400, hashes);
        const unknown = hashes.find((hash) => !model.key(hash, account));
        if (unknown) return refuse(400, `key_hashes: no key ${unknown}`);
        if (rest.endsWith("/remove")) {
          const unassigned = hashes.filter((hash) => bound.unassign(known, hash));
          return { status: 200, json: { unassigned_count: unassigned.length } };
        }
        for (const hash of hashes) bound.assign(known, hash);
        return { status: 200, json: { assigned_count: hashes.length } };
      });
    default:
      return refuse(404, "Not Found");
  }
}

function pageOf(entries: readonly unknown[], { query }: Call, refuse: Refuse): Reply {
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? DEFAULT_PAGE);
  if (!Number.isInteger(offset) || offset < 0) return refuse(400, "offset: must be a whole number from 0 up");
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_PAGE)
    return refuse(400, `limit: must be a whole number from 1 to ${LARGEST_PAGE}`);
  return {
    status: 200,
    json: { data: entries.slice(offset, offset + limit), total_count: entries.length },
  };
}

function createGuardrail(model: ProviderModel, body: string, account: string, refuse: Refuse): Reply {
  const fields = guardrailFields(body);
  if (typeof fields === "string") return refuse(400, fields);
  const { name, workspace_id = model.defaultWorkspace(account), ...rest } = fields;
  if (typeof name !== "string") return refuse(400, "name: required");
  if (typeof workspace_id !== "string" || !model.hasWorkspace(workspace_id, account))
    return refuse(400, "workspace_id: no such workspace");
  const guardrail = model.bound.addGuardrail({ ...rest, name }, account, workspace_id);
  return { status: 201, json: { data: guardrailJson(guardrail) } };
}

const anything = () => undefined;
/** What they hold is not enforced here, and is kept as it came. */
const GUARDRAIL_FIELDS = Object.fromEntries(
  [
    "allowed_data_regions",
    "allowed_models",
    "allowed_providers",
    "content_filter_builtins",
    "content_filters",
    "description",
    "enable_free_model_publication",
    "enable_free_model_training",
    "enable_paid_model_training",
    "enforce_zdr",
    "enforce_zdr_anthropic",
    "enforce_zdr_google",
    "enforce_zdr_openai",
    "enforce_zdr_other",
    "enforce_zdr_xai",
    "ignored_models",
    "ignored_providers",
    "include_byok_in_budgets",
    "limit_usd",
    "reset_interval",
    "workspace_id",
  ].map((name) => [name, anything]),
);

function guardrailFields(body: string): Readonly<Record<string, unknown>> | string {
  return check(body, { ...GUARDRAIL_FIELDS, name: text });
}

function keyHashes(body: string): string[] | string {
  const input = check(body, {
    key_hashes: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((hash) => text(hash) === undefined)
        ? undefined
        : "must be a list of at least 1 hash",
  });
  if (typeof input === "string") return input;
  return (input.key_hashes as string[] | undefined) ?? "key_hashes: required";
}
