import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { CREDENTIALS } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { serveSecretsManager } from "../aws/serve.ts";
import { POLICY, rotate, startWorld, type World } from "./world.ts";

/** Where the key is kept, with a world around it in which live consumers read it from there. */
export interface Place {
  world: World;
  /** The plaintext that consumers are to use. */
  current(): string;
  /** What stands in the store after a rotation and should not, in words. */
  leftovers(): string[];
  [Symbol.asyncDispose](): Promise<void>;
}

export type PlaceName = "file" | "aws";

/** The key's field, and what a person has written beside it. */
const FIELD = "OPENROUTER_API_KEY";
const BESIDE = { STATEMENT_DESCRIPTOR: "ACME PAYMENTS" };
const SECRET = "prod/payments";

/** One consumer is told to read its key again, the other finds it by itself; no wait is longer than it must be. */
const QUICK = POLICY.replace(
  `probe: { http: "\${BILLING_URL}/healthz" } }`,
  `probe: { http: "\${BILLING_URL}/healthz" }, reload: { http: { method: POST, url: "\${BILLING_URL}/-/reload" } } }`,
)
  .replace("interval: 50ms", "interval: 20ms")
  .replace("watch: 100ms", "watch: 20ms");

export function startPlace(name: PlaceName): Promise<Place> {
  return name === "file" ? filePlace() : awsPlace();
}

async function filePlace(): Promise<Place> {
  const world = await startWorld({ policy: () => QUICK });
  const { file } = world.sandbox.secret;
  const fields = (): Record<string, string> => JSON.parse(readFileSync(file, "utf8"));
  const folder = world.env.KEYTURN_STORE as string;
  return {
    world,
    current: () => fields()[FIELD] ?? "",
    leftovers() {
      const record = join(folder, ".keyturn/records/payments-api.json");
      const { staged, retained } = JSON.parse(readFileSync(record, "utf8")) as Record<string, unknown[]>;
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .filter((one) => !/^(payments-api\.json|lock\.db|\.gitignore)$/.test(one));
      return [
        ...(staged ?? []).map(() => "a staged version"),
        ...(retained ?? []).map(() => "a retained version"),
        ...files.map((one) => `the file ${one}`),
      ];
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

async function awsPlace(): Promise<Place> {
  await using open = new AsyncDisposableStack();
  const model = new SecretsManagerModel({ clock: systemClock });
  model.perform("CreateSecret", {
    Name: SECRET,
    ClientRequestToken: "made-by-a-person-made-by-a-person",
    SecretString: JSON.stringify(BESIDE),
  });
  const served = await serveSecretsManager(model);
  open.defer(served.close);
  const fields = (): Record<string, string> => JSON.parse(model.current(SECRET) ?? "{}");
  const policy = QUICK.replace(
    `local: { type: file, path: "\${KEYTURN_STORE}" }`,
    `aws: { type: aws-secrets-manager, region: ${model.region}, endpoint: "${served.url}" }`,
  ).replace(/use: local, secret: payments-api/, `use: aws, secret: ${SECRET}`);
  const world = await startWorld({
    provisioned: false,
    policy: () => policy,
    watch: (onChange) => watchField(() => fields()[FIELD], onChange),
  });
  open.use(world);
  Object.assign(world.env, {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
  });
  const { status, stdout, stderr } = await rotate(world, ["once"]);
  if (status !== 0) throw new Error(`provisioning failed: ${stdout}${stderr}`);
  const all = open.move();
  return {
    world,
    current: () => fields()[FIELD] ?? "",
    leftovers: () => awsLeftovers(model, fields()),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Reads a key ten times as often as a demonstration needs it. Does not keep the process alive. */
function watchField(read: () => string | undefined, onChange: (key: string) => void) {
  let key: string | undefined;
  const look = () => {
    const next = read();
    if (next === undefined || next === key) return;
    key = next;
    onChange(next);
  };
  const timer = setInterval(look, 30).unref();
  return { current: () => key, refresh: async () => look(), close: () => clearInterval(timer) };
}

/**
 * What stays by design: the owner's two tags; on current the label that says which key it holds,
 * and that of its rotation where a process died just after the promotion.
 */
function awsLeftovers(model: SecretsManagerModel, fields: Record<string, string>): string[] {
  const state = model.secret(SECRET);
  if (state === undefined) return ["the secret is gone"];
  const { labels, tags } = state;
  const current = labels.AWSCURRENT;
  const holds = Object.entries(labels).filter(([label]) => label.startsWith("KEYTURN-holds:"));
  const rotation = holds.find(([, version]) => version === current)?.[0].split(":")[3];
  const strange = Object.entries(labels).filter(
    ([label, version]) =>
      label.startsWith("KEYTURN-") &&
      !(
        version === current &&
        (label.startsWith("KEYTURN-holds:") || label.startsWith(`KEYTURN-${rotation}-`))
      ),
  );
  return [
    ...(rotation === undefined ? ["current has no label that says which key it holds"] : []),
    ...strange.map(([label]) => `the label ${label}`),
    ...Object.keys(tags)
      .filter((tag) => !["keyturn:installation", "keyturn:journal"].includes(tag))
      .map((tag) => `the tag ${tag}`),
    ...Object.entries(BESIDE)
      .filter(([field, value]) => fields[field] !== value)
      .map(([field]) => `the field ${field} was changed`),
  ];
}
