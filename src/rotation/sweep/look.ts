import { emptyDocument, type PolicySnapshot, type TargetDocument } from "../../journal/document.ts";
import type { DamagedEntry, TargetEntry } from "../../journal/journal.ts";
import { asRotationError, type RotationError } from "../../lib/errors.ts";
import type { Owner } from "../../lib/owner.ts";
import type { Policy } from "../../policy/schema.ts";
import type { IssuedKey, Provider } from "../../providers/provider.ts";
import { shortHash } from "../names.ts";
import type { Parts } from "../parts.ts";
import type { KeyPlace } from "../targets.ts";
import { type Holdings, holdingsOf } from "./holdings.ts";
import {
  type Claim,
  claimOf,
  type Judgement,
  judgeIntended,
  judgeUnintended,
  type Ledger,
  ledgerOf,
  spent,
} from "./judge.ts";
import type { SweepProblem, SweptKey } from "./report.ts";
import { isCalled, type SweepScope, scopeOf } from "./scope.ts";

/** What the engine lends to a sweep. */
export interface SweepGround {
  policy: Policy;
  parts: Parts;
  owner: Owner;
  /** Every key of the policy. */
  places: readonly KeyPlace[];
  /** The policy's keys of each target, by field. */
  targets: ReadonlyMap<string, Record<string, PolicySnapshot>>;
  /** Targets that this process works on already. */
  active: Set<string>;
}

/** What was found, nothing changed. What could not be looked at is a problem, and never taken for absent. */
export interface Look {
  scope: SweepScope;
  /** By the provider's name. */
  clients: ReadonlyMap<string, Provider>;
  keys: SweptKey[];
  known: number;
  problems: Problems;
}

/** The problems of a sweep, each once. */
export class Problems {
  readonly all: SweepProblem[] = [];

  /** For `catch`: keeps what was thrown, and gives it back as an error. */
  at(where: string): (thrown: unknown) => RotationError {
    return (thrown) => {
      const error = asRotationError(thrown);
      const { code, message, hint } = error;
      if (!this.all.some((one) => one.where === where && one.message === message))
        this.all.push({ where, code, message, ...(hint === undefined ? {} : { hint }) });
      return error;
    };
  }
}

type ClaimedKey = { key: IssuedKey; provider: string; claim: Exclude<Claim, { is: "known" }> };

/** `named`: the places of the keys that were named; undefined for all. */
export async function lookAround(ground: SweepGround, named: readonly KeyPlace[] | undefined): Promise<Look> {
  const { policy, parts, places } = ground;
  const problems = new Problems();
  const before = readable(await parts.journal.all(), problems);
  const scope = scopeOf(policy, places, before.entries, named);
  const clients = new Map(scope.walks.map(({ name, snapshot }) => [name, parts.connect.provider(snapshot)]));
  const listed: { provider: string; client: Provider; keys: IssuedKey[] }[] = [];
  for (const { name, workspaces } of scope.walks) {
    const client = clients.get(name) as Provider;
    const keys = await client.list(workspaces).catch(problems.at(name));
    if (!(keys instanceof Error)) listed.push({ provider: name, client, keys });
  }
  const after = readable(await parts.journal.all(), problems);
  const toAdopt = policy.keys.flatMap(({ adopt }) => adopt?.hash ?? []);
  const damage = before.damage ?? after.damage;
  const ledger = ledgerOf(policy.installation, after.entries, toAdopt, damage);
  const stores = storesOf(ground, scope, after.entries, problems);

  const look: Look = { scope, clients, keys: [], known: 0, problems };
  const seen = new Set<string>();
  for (const { provider, client, keys } of listed) {
    for (const entry of keys) {
      const claim = claimOf(entry, provider, ledger, scope);
      if (claim === undefined || seen.has(entry.hash)) continue;
      seen.add(entry.hash);
      // A list may go on showing what was deleted.
      const key = claim.is === "known" ? entry : await client.get(entry.hash).catch(problems.at(provider));
      if (key === undefined || key instanceof Error) continue;
      const found = claim.is === "known" ? undefined : { key, provider, claim };
      const judgement = found && (await judge(ground, found, ledger, stores));
      if (found === undefined || judgement === undefined || judgement.verdict === "known") look.known += 1;
      else look.keys.push(swept(found, judgement.verdict, judgement));
    }
  }
  return look;
}

function readable(
  all: readonly (TargetEntry | DamagedEntry)[],
  problems: Problems,
): { entries: TargetEntry[]; damage: RotationError | undefined } {
  const entries: TargetEntry[] = [];
  let damage: RotationError | undefined;
  for (const entry of all) {
    if ("error" in entry) damage = problems.at(entry.target)(entry.error);
    else entries.push(entry);
  }
  return { entries, damage };
}

type Stores = (target: string) => Promise<Holdings | RotationError>;

/** What each target's secret holds, read when first asked for. */
function storesOf(
  { parts, owner }: SweepGround,
  { places }: SweepScope,
  entries: readonly TargetEntry[],
  problems: Problems,
): Stores {
  const read = new Map<string, Promise<Holdings | RotationError>>();
  return (target) => {
    const document = entries.find((entry) => entry.target === target)?.document ?? emptyDocument();
    const here = places.filter((place) => place.target === target);
    const found =
      read.get(target) ?? holdingsOf(parts, owner, target, here, document).catch(problems.at(target));
    read.set(target, found);
    return found;
  };
}

async function judge(
  { policy, places }: SweepGround,
  { key, provider, claim }: ClaimedKey,
  ledger: Ledger,
  stores: Stores,
): Promise<Judgement> {
  if (claim.is === "intended") {
    const { document, target } = claim.entry;
    return judgeIntended(key, claim.intent, document, await stores(target));
  }
  const target = places.find((place) => isCalled(place, claim.key))?.target;
  const holdings = target === undefined ? undefined : await stores(target);
  const several = Object.keys(policy.providers).length > 1 ? ` --provider ${provider}` : "";
  return judgeUnintended(key, ledger, holdings, `rotate keys delete ${shortHash(key.hash)}${several}`);
}

function swept(
  { key, provider, claim }: ClaimedKey,
  verdict: SweptKey["verdict"],
  { why, hint }: Judgement,
): SweptKey {
  const { hash, name = "", label, disabled, workspaceId } = key;
  const createdAt = key.createdAt === undefined ? Number.NaN : Date.parse(key.createdAt);
  const usage = spent(key);
  return {
    provider,
    hash,
    name,
    ...(claim.is === "intended"
      ? { key: nameIn(claim.entry.document, claim.intent.field), target: claim.entry.target }
      : { key: claim.key }),
    verdict,
    why,
    ...(hint === undefined ? {} : { hint }),
    ...(label === undefined ? {} : { label }),
    ...(disabled === undefined ? {} : { disabled }),
    ...(usage === undefined ? {} : { usage }),
    ...(Number.isNaN(createdAt) ? {} : { createdAt }),
    ...(workspaceId === undefined ? {} : { workspaceId }),
  };
}

function nameIn({ keys, rotation }: TargetDocument, field: string): string {
  return keys[field]?.name ?? rotation?.policy.key.name ?? field;
}
