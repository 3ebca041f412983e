import type { Assignment, Guardrail, Restricted } from "./hash-bound.ts";
import { timestamp } from "./key-json.ts";
import type { ModelKey } from "./model-types.ts";

export function guardrailJson({ id, workspaceId, fields, createdAt, updatedAt }: Guardrail) {
  return {
    include_byok_in_budgets: false,
    ...fields,
    id,
    workspace_id: workspaceId,
    created_at: timestamp(createdAt),
    updated_at: updatedAt === null ? null : timestamp(updatedAt),
  };
}

export function assignmentJson({ id, guardrail, hash, createdAt }: Assignment, key: ModelKey) {
  return {
    id,
    guardrail_id: guardrail,
    key_hash: hash,
    key_name: key.name,
    key_label: key.label,
    assigned_by: null,
    created_at: timestamp(createdAt),
  };
}

export function byokJson({ id, name, workspaceId, hashes, createdAt }: Restricted) {
  return {
    id,
    name,
    provider: "openai",
    label: "sk-...wxyz",
    allowed_api_key_hashes: hashes,
    allowed_models: null,
    allowed_user_ids: null,
    declared_zdr: null,
    disabled: false,
    is_byok_only: false,
    is_fallback: false,
    is_required: false,
    sort_order: 0,
    workspace_id: workspaceId,
    created_at: timestamp(createdAt),
  };
}

export function destinationJson(
  { id, name, workspaceId, hashes, createdAt }: Restricted,
  askedWorkspace: string,
) {
  return {
    id,
    name,
    type: "webhook",
    config: { url: "https://observer.example/hook", method: "POST" },
    api_key_hashes: hashes,
    broadcast_generation_cost: true,
    broadcast_generation_identity: true,
    broadcast_generation_request_context: true,
    enabled: true,
    filter_rules: null,
    privacy_mode: false,
    regions: ["global"],
    sampling_rate: 1,
    workspace_id: workspaceId ?? askedWorkspace,
    created_at: timestamp(createdAt),
    updated_at: timestamp(createdAt),
  };
}
