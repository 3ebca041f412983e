import type { Invariant } from "./observer.ts";

/** A bug planted on purpose, in the text of one file, and where the simulation is sure to trip over it. */
export interface Mutant {
  /** What the code does wrong, as a sentence. */
  name: string;
  /** Under src/. */
  file: string;
  /** Stands in the file exactly once. */
  find: string;
  replace: string;
  /** The invariants of which one should break first. */
  breaks: readonly Invariant[];
  /** Seeds from which on, and how many at most; the last days of trouble of each. */
  from: number;
  seeds: number;
  days: number;
  /** Caught within a second or two. */
  quick?: true;
  /** The only acts that happen, where it takes certain ones together. */
  acts?: readonly string[];
}

export const SOURCES = new URL("../../src/", import.meta.url);

/** The text of the mutant's file with the bug in it. Throws when the place is not there, or not once. */
export function patched({ name, file, find, replace }: Mutant, text: string): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`"${name}": its place is not found exactly once in src/${file}`);
  return before + replace + after;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the oldest key of the account is deleted in place of the replaced one",
    file: "rotation/steps/provider-effects.ts",
    find: "const answer = await context.provider(field).delete(hash);",
    replace: `const all = await context.provider(field).list();
  const [oldest] = all.sort((a, b) => Date.parse(a.createdAt ?? "") - Date.parse(b.createdAt ?? ""));
  const answer = await context.provider(field).delete(oldest?.hash ?? hash);`,
    breaks: [5, 1],
    from: 1,
    seeds: 40,
    days: 5,
    quick: true,
  },
  {
    name: "keys are deleted whose names look like ours",
    file: "rotation/checks/intents.ts",
    find: `  const named = Object.keys(world.document.intents).flatMap((name) => keysNamed(list.fact.value, name));
  const strays = named.filter((key) => world.document.issued[key.hash] === undefined);
  for (const stray of strays) {
    const { field } = world.document.intents[stray.name as string] as { field: string };
    const store = needStore(world, field, walk.since);
    if ("decision" in store) return store.decision;
    if (isCurrent(stray.hash, store.fact.value)) continue;
    const staged = store.fact.value.staged.find((version) => version.hash === stray.hash);
    if (staged !== undefined) return giveUp(staged, stray.name as string, field);
    const again = lookAgainAt(world.document.intents[stray.name as string] as IntentRecord);`,
    replace: `  const named = list.fact.value.filter((key) => key.name?.startsWith("keyturn/prod/"));
  const strays = named.filter((key) => world.document.issued[key.hash] === undefined);
  for (const stray of strays) {
    const { field } = walk;
    const store = needStore(world, field, walk.since);
    if ("decision" in store) return store.decision;
    if (isCurrent(stray.hash, store.fact.value)) continue;
    const again = 0;`,
    breaks: [5, 1],
    from: 1,
    seeds: 40,
    days: 5,
    acts: ["look-alike", "rotate --now", "person edits another field"],
  },
  {
    name: "a version's token does not bind the base",
    file: "stores/version-token.ts",
    find: "JSON.stringify([rotation, hash, base])",
    replace: "JSON.stringify([rotation, hash])",
    breaks: [8],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["person edits another field", "rotate --now"],
  },
  {
    name: "any current value counts as promoted",
    file: "rotation/checks/staging.ts",
    find: "if (shown !== undefined && shown === fresh.fingerprint)",
    replace: "if (shown !== undefined)",
    breaks: [8, 1],
    from: 1,
    seeds: 40,
    days: 5,
  },
  {
    name: "a create is tried again when its reply is lost",
    file: "providers/key-calls.ts",
    find: "const response = await requests.create(keyName, settings);",
    replace:
      "const response = await requests.create(keyName, settings).catch(() => requests.create(keyName, settings));",
    breaks: [7],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["provider fault", "rotate --now"],
  },
  {
    name: "a consumer confirms when one of its instances does",
    file: "probes/probe.ts",
    find: "sweep.instances.every((answer) => answer.verdict",
    replace: "sweep.instances.some((answer) => answer.verdict",
    breaks: [1],
    from: 1,
    seeds: 40,
    days: 8,
    acts: ["instance stuck", "rotate --now"],
  },
  {
    name: "a consumer without instances confirms",
    file: "probes/probe.ts",
    find: `    sweep.problem === undefined &&
    sweep.instances.length > 0 &&
`,
    replace: "",
    breaks: [1],
    from: 1,
    seeds: 40,
    days: 8,
    acts: ["scaled to zero", "rotate --now"],
  },
  {
    name: "the old key is disabled when the consumers have not confirmed in time",
    file: "rotation/checks/confirming.ts",
    find: "return timedOut(world, rotation, says);",
    replace: `return rotation.old
      ? step({ effect: "disable", hash: rotation.old.hash, field: rotation.field }, "disable", says)
      : timedOut(world, rotation, says);`,
    breaks: [1],
    from: 1,
    seeds: 40,
    days: 8,
    acts: ["instance stuck", "rotate --now"],
  },
  {
    name: "a disable is journalled after it went out",
    file: "rotation/steps/provider-effects.ts",
    find: `  await context.commit(
    "disable-sent",`,
    replace: `  await goneAt(context, hash, field, { disabled: true });
  await context.commit(
    "disable-sent",`,
    breaks: [7],
    from: 1,
    seeds: 40,
    days: 5,
    quick: true,
  },
  {
    name: "a create is journalled after it went out",
    file: "rotation/steps/create.ts",
    find: `  await context.commit("create-sent", (draft) => {
    const intent = draft.intents[name] as IntentRecord;
    intent.sentAt = context.parts.clock.now();
    intent.settings = { ...settings };
    if (settings.workspaceId !== undefined) intent.workspace = settings.workspaceId;
  });
  const made = await provider
    .create(name, settings)
    .catch((thrown: unknown) => refused(context, name, thrown));
`,
    replace: `  const made = await provider
    .create(name, settings)
    .catch((thrown: unknown) => refused(context, name, thrown));
  await context.commit("create-sent", (draft) => {
    const intent = draft.intents[name] as IntentRecord;
    intent.sentAt = context.parts.clock.now();
    intent.settings = { ...settings };
  });
`,
    breaks: [7],
    from: 1,
    seeds: 40,
    days: 5,
  },
  {
    name: "a write to the journal does not ask whether the lease still stands",
    file: "journal/rules.ts",
    find: "if (kept.holder === lease.holder && kept.epoch === lease.epoch) return;",
    replace: "if (kept.epoch >= 0) return;",
    breaks: [1, 2, 3, 4, 7, 8],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["hangs and is relieved", "rotate --now"],
  },
  {
    name: "a promotion does not compare before it swaps",
    file: "stores/record-changes.ts",
    find: "if (baseOf(found) !== base || next.base !== base) throw movedOn(ref, base, baseOf(found));",
    replace: "",
    breaks: [2],
    from: 25,
    seeds: 100,
    days: 8,
    acts: ["person writes the key", "person edits another field", "rotate --now"],
  },
  {
    name: "R1: a given-up key is deleted while its promotion may still be on its way",
    file: "rotation/checks/retire.ts",
    find: "if (record.promotionBase !== undefined && record.promotionBase === view.base)",
    replace: "if (record.promotionBase === view.base && record.promotionBase === undefined)",
    breaks: [1],
    from: 4,
    seeds: 100,
    days: 10,
    acts: ["change hangs", "rotate --now"],
  },
  {
    name: "R2: that current was disabled by us is not looked at",
    file: "rotation/checks/safety.ts",
    find: "if (!record?.disable || record.distrusted || record.delete) continue;",
    replace: "if (record !== undefined) continue;",
    breaks: [1, 8],
    from: 1,
    seeds: 100,
    days: 10,
    acts: ["person writes the key", "rotate --now", "rotate rollback"],
  },
  {
    name: "R2: a disable that was never acknowledged is forgotten once the key is enabled",
    file: "rotation/steps/provider-effects.ts",
    find: "if (record.disable && record.disable.acknowledged === undefined) record.unsure = true;",
    replace: "",
    breaks: [1],
    from: 1,
    seeds: 100,
    days: 10,
    acts: ["change hangs", "rotate --now"],
  },
  {
    name: "R3: the old key is disabled without asking the consumers again",
    file: "rotation/checks/closing.ts",
    find: "if (!proves(rotation, evidence, retire.after === 0 ? 0 : end))",
    replace: "if (retire.after < 0)",
    breaks: [1],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["kill", "rotate --now"],
  },
  {
    name: "R3: what a sweep for one key shows of another does not count",
    file: "rotation/evidence.ts",
    find: "if (evidence.field !== field) return evidence;",
    replace: "if (evidence.field === field) return evidence;",
    breaks: [1],
    from: 75,
    seeds: 40,
    days: 15,
    acts: ["person writes the key", "instance born with the old key", "instance relapses", "rotate --now"],
  },
  {
    name: "R3: a key is deleted without reading the store again",
    file: "rotation/checks/retire.ts",
    find: `  if ("decision" in store) return store.decision;
  return currentAgainst(`,
    replace: `  if ("decision" in store) return undefined;
  return currentAgainst(`,
    breaks: [1],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["kill", "rotate --now"],
  },
  {
    name: "going back ends the new key before the consumers are back",
    file: "rotation/checks/back.ts",
    find: `  const question = rotationQuestion(rotation, "back") as Question;
`,
    replace: `  const question = rotationQuestion(rotation, "back") as Question;
  const given = world.document.issued[rotation.new?.hash ?? ""];
  if (given && !given.disable)
    return step({ effect: "disable", hash: given.hash, field: rotation.field }, "given-up", "ends it");
`,
    breaks: [1],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["instance stuck", "rotate rollback", "rotate --now"],
  },
  {
    name: "a 404 counts as deleted, whoever's account answers it",
    file: "rotation/steps/provider-effects.ts",
    find: "if ((await provider.get(hash)) !== undefined)",
    replace: `if (hash !== "") return;
  if ((await provider.get(hash)) !== undefined)`,
    breaks: [3, 2],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["management key", "rotate --now", "provider fault"],
  },
  {
    name: "R5: a rotation that failed is tried again at once",
    file: "schedule/due.ts",
    find: "return now + Math.round(backoff * (1 - JITTER * fraction));",
    replace: "return now + Math.round(0 * backoff * fraction);",
    breaks: [4, 8],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["provider fault", "instance stuck", "instance born with the old key"],
  },
  {
    name: "R7: a name is forgotten once a walk has not shown it",
    file: "rotation/steps/notes.ts",
    find: `if (as === "absent") intent.absences = (intent.absences ?? 0) + 1;`,
    replace: `if (as === "absent") delete draft.intents[name];`,
    breaks: [3],
    from: 1,
    seeds: 100,
    days: 8,
    acts: ["create unanswered and unlisted", "rotate --now"],
  },
  {
    name: "R7: the provider's list is not walked after a rotation",
    file: "rotation/steps/draft.ts",
    find: "document.walk = { since: now, field: rotation.field };",
    replace: "",
    breaks: [3],
    from: 1,
    seeds: 100,
    days: 8,
    acts: ["provider fault", "provider delay", "rotate --now"],
  },
  {
    name: "R11: another owner's stamp is taken for ours",
    file: "lib/owner.ts",
    find: "return a.installation === b.installation && a.journal === b.journal;",
    replace: "return a !== b || a === b;",
    breaks: [5],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["rival installation", "rotate --now"],
  },
  {
    name: "R14: what someone else wrote is overwritten",
    file: "rotation/checks/staging.ts",
    find: "if (changed) return changed;",
    replace: "",
    breaks: [2],
    from: 1,
    seeds: 100,
    days: 8,
    acts: ["person writes the key", "rotate --now"],
  },
  {
    name: "R14: the other fields of a secret are lost",
    file: "stores/record-changes.ts",
    find: "content: merged(found.current?.content, ref, value),",
    replace: "content: merged(undefined, ref, value),",
    breaks: [2],
    from: 1,
    seeds: 40,
    days: 5,
    quick: true,
  },
  {
    name: "R15: nobody minds a clock that is wrong",
    file: "providers/exchange.ts",
    find: "skew = Math.round(date + 500 - (sentAt + receivedAt) / 2);",
    replace: "skew = 0;",
    breaks: [1],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["clock", "rotate --now"],
  },
  {
    name: "the soak of a disabled key is counted in memory",
    file: "rotation/checks/retire.ts",
    find: "const dueAt = Math.min(record.retire.dueAt, world.now + record.retire.keepFor);",
    replace: `const memory = world.failed as unknown as Record<string, { until: number }>;
  memory[record.hash] ??= { until: world.now + record.retire.keepFor };
  const dueAt = memory[record.hash]?.until as number;`,
    breaks: [3],
    from: 1,
    seeds: 40,
    days: 5,
  },
  {
    name: "an event tells the key that was made",
    file: "rotation/steps/create.ts",
    find: `message: \`created key \${issued.hash}\``,
    replace: `message: \`created key \${key.reveal()}\``,
    breaks: [6],
    from: 1,
    seeds: 20,
    days: 3,
    quick: true,
  },
  {
    name: "a promotion is journalled without an event",
    file: "rotation/steps/context.ts",
    find: "events: [event],",
    replace: `events: kind === "promoted" ? [] : [event],`,
    breaks: [7],
    from: 1,
    seeds: 20,
    days: 3,
    quick: true,
  },
  {
    name: "forgetting a key drops a version that another field's key needs",
    file: "rotation/steps/store-effects.ts",
    find: "if (version === undefined || version === current || needed.has(version)) continue;",
    replace: "if (version === undefined || version === current) continue;",
    breaks: [2],
    from: 1,
    seeds: 100,
    days: 8,
    acts: ["rotate --now", "person edits another field"],
  },
  {
    name: "a key is promoted that the provider does not accept yet",
    file: "rotation/checks/staging.ts",
    find: "if (accepted.fact.value) return undefined;",
    replace: "if (accepted.fact.value !== undefined) return undefined;",
    breaks: [1],
    from: 1,
    seeds: 60,
    days: 8,
    acts: ["provider delay", "rotate --now"],
  },
];
