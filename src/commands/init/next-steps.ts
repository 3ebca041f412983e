import { dirname, join, relative, resolve } from "node:path";
import { plain } from "../render/issued-keys.ts";
import type { Draft } from "./draft.ts";

/** What to type after a policy was written, line by line. `isSet`: the management key is at hand. */
export function nextSteps(draft: Draft, file: string, isSet: boolean): string[] {
  const option = resolve(file) === resolve("rotation.yaml") ? "" : ` --policy ${quoted(file)}`;
  const steps: [string, string?][] = [];
  if (!isSet && "env" in draft.managementKey) steps.push([`export ${draft.managementKey.env}=…`]);
  if (draft.store === "kubernetes")
    steps.push([
      `rotate init --kubernetes-rbac${option} | kubectl apply -f -`,
      "the rights and empty objects that it needs",
    ]);
  steps.push([`rotate validate --online${option}`, "tries credentials, the store and every probe"]);
  steps.push([`rotate plan${option}`, "what would happen, and why; changes nothing"]);
  steps.push([`rotate --now ${draft.key}${option}`, draft.adopt ? "the first rotation" : "the first key"]);
  const width = Math.max(...steps.map(([command]) => command.length));
  return [
    ...(draft.adopt ? [adoption(draft, file)] : []),
    ...steps.map(([command, about]) =>
      about === undefined ? `  ${command}` : `  ${command.padEnd(width)}   # ${about}`,
    ),
  ];
}

/** The provider shows no key again: its value is where the services have it. */
function adoption({ store, storePath, secret, field, namespace, adopt }: Draft, file: string): string {
  const name = plain(adopt?.issued?.label ?? adopt?.issued?.name ?? `${adopt?.hash.slice(0, 12)}…`);
  const at = {
    file: fileOf(storePath, secret, field, file),
    aws: `the secret ${secret} of AWS Secrets Manager`,
    kubernetes: `the Secret ${secret} in namespace ${namespace}`,
  }[store];
  const how = field === undefined ? "and nothing else in it" : `as ${field}`;
  return `Before the first rotation the value of the key ${name} must be in ${at}, ${how}, where its services read it.`;
}

function fileOf(storePath: string, secret: string, field: string | undefined, file: string): string {
  const path = join(resolve(dirname(file), storePath), field === undefined ? secret : `${secret}.json`);
  const near = relative(".", path);
  return near.startsWith("..") ? path : near;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
