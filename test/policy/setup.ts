import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { formatFaults, type LoadedPolicy, loadPolicy, PolicyError } from "../../src/policy/load.ts";

/** What instants are judged by in these tests. */
export const NOW = Date.parse("2026-03-02T12:00:00Z");

const ENV = { OPENROUTER_MANAGEMENT_KEY: "sk-or-v1-management" };

/** A valid policy with one key `a`; `without` names lines of it to leave out, then `key` is added. */
export function policyText(options: { key?: string; top?: string; without?: string[] } = {}): string {
  const base = [
    "version: 1",
    "providers:",
    "  openrouter: { type: openrouter, managementKey: { env: OPENROUTER_MANAGEMENT_KEY } }",
    "  arouter: { type: arouter, managementKey: { file: ./arouter.key } }",
    "stores:",
    "  local: { type: file, path: ./secrets }",
    ...(options.top ?? "").split("\n").filter(Boolean),
    "keys:",
    "  - name: a",
    "    provider: openrouter",
    '    schedule: "0 10 * * 2"',
    "    store: { use: local, secret: a }",
    "    consumers: [{ name: api, probe: { http: http://127.0.0.1:8080/healthz } }]",
  ];
  const kept = base.filter((line) => !options.without?.some((field) => line.trim().startsWith(`${field}:`)));
  const added = (options.key ?? "").split("\n").filter(Boolean);
  return [...kept, ...added.map((line) => `    ${line}`), ""].join("\n");
}

/** Writes rotation.yaml into a folder of its own and gives its path. */
export async function policyFile(text: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-policy-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "rotation.yaml");
  await writeFile(file, text);
  return file;
}

export async function load(text: string, env: Record<string, string> = ENV): Promise<LoadedPolicy> {
  return loadPolicy(await policyFile(text), env, { now: NOW });
}

/** What a user sees of an invalid policy, the file's folder left out. */
export async function complaint(
  text: string | Uint8Array,
  env: Record<string, string> = ENV,
): Promise<string> {
  return complaintOf(await policyFile(text), env);
}

export async function complaintOf(file: string, env: Record<string, string> = ENV): Promise<string> {
  try {
    await loadPolicy(file, env, { now: NOW });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return formatFaults(error, { color: false }).replaceAll(/\S*\/(?=rotation\.yaml)/g, "");
  }
  return "valid";
}

/** The complaint without quoted lines: one line a fault, and its hint. */
export async function faults(text: string, env?: Record<string, string>): Promise<string[]> {
  const lines = (await complaint(text, env)).split("\n");
  return lines.filter((line) => !/^\s+\d* \|/.test(line)).map((line) => line.trim());
}

export async function notes(text: string): Promise<string[]> {
  const { warnings } = await load(text);
  return warnings.map(({ line, column, path, message }) => `${line}:${column}  ${path}: ${message}`);
}
