import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPolicy } from "../../src/policy/load.ts";
import type { Policy } from "../../src/policy/schema.ts";

/** A policy from the text of one. */
export async function policyOf(yaml: string): Promise<Policy> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-rights-"));
  try {
    const file = join(folder, "rotation.yaml");
    await writeFile(file, yaml);
    return (await loadPolicy(file, {})).policy;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const HEAD = `
version: 1
providers:
  openrouter: { type: openrouter, managementKey: { env: OPENROUTER_MANAGEMENT_KEY } }
`;

/** Two keys in one Secret, and every way of asking and reloading. */
export const EVERYTHING = `${HEAD}
stores:
  shop: { type: kubernetes, namespace: shop }
journal: { type: kubernetes, namespace: keyturn, name: rotations }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    store: { use: shop, secret: payments, field: OPENROUTER_API_KEY }
    consumers:
      - name: payments
        reload: { kubernetes: { restart: deployment/payments } }
        probe: { kubernetes: { rollout: deployment/payments } }
      - name: billing
        probe: { pods: { selector: app=billing, port: 8080, path: /healthz, namespace: billing } }
  - name: search
    provider: openrouter
    schedule: { every: 30d }
    store: { use: shop, secret: payments, field: SEARCH_KEY, create: true }
    consumers:
      - name: search
        reload: { kubernetes: { sync: externalsecret/search, restart: statefulset/search, namespace: search } }
        probe: { kubernetes: { rollout: statefulset/search, namespace: search } }
`;

/** Secrets elsewhere, and a journal on a disk: only the restart is Kubernetes'. */
export const ELSEWHERE = `${HEAD}
stores:
  aws: { type: aws-secrets-manager, region: eu-west-1 }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    store: { use: aws, secret: prod/payments }
    consumers:
      - name: payments
        reload: { kubernetes: { sync: externalsecret/payments, restart: deployment/payments } }
        probe: { kubernetes: { rollout: deployment/payments } }
`;

/** Nothing of Kubernetes. */
export const NOTHING = `${HEAD}
stores:
  local: { type: file, path: ./secrets }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    store: { use: local, secret: payments }
    consumers: [{ name: payments, probe: { http: "http://127.0.0.1:8080/healthz" } }]
`;

/** Two clusters, by contexts of a kubeconfig. */
export const CLUSTERS = `${HEAD}
stores:
  east: { type: kubernetes, namespace: shop, context: east }
  west: { type: kubernetes, namespace: shop, context: west }
keys:
  - name: payments-east
    provider: openrouter
    schedule: { every: 30d }
    store: { use: east, secret: payments, field: KEY }
    consumers: [{ name: payments, probe: { pods: { selector: app=payments, port: 80, path: / } } }]
  - name: payments-west
    provider: openrouter
    schedule: { every: 30d }
    store: { use: west, secret: payments, field: KEY }
    consumers: [{ name: payments, probe: { pods: { selector: app=payments, port: 80, path: / } } }]
`;
