import { RotationError } from "../../lib/errors.ts";
import type { KeyPatch } from "../../providers/provider.ts";
import { settingsThatDiffer } from "../../rotation/settings.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit.ts";
import { print, printJson } from "../print.ts";
import { plain, renderFields } from "../render/issued-keys.ts";
import { shortHash } from "../render/style.ts";
import { findKey } from "./find.ts";
import type { HashOptions } from "./get.ts";
import { keyJson } from "./json.ts";
import type { SettingOptions } from "./options.ts";
import { choose, refuseForeign, refuseOurName, settingsOf } from "./provider.ts";
import { refuseInUse, type Standing, standings } from "./standing.ts";

export type UpdateOptions = HashOptions &
  Pick<SettingOptions, "limit" | "limitReset" | "includeByokInLimit" | "allowedProvider" | "allowedModel"> & {
    name?: string;
  };

/** `rotate keys update HASH`: gives a key other settings and shows it as it is then. */
export async function update(context: Context, given: string, options: UpdateOptions): Promise<number> {
  const provider = choose(context, options.provider);
  refuseForeign(provider, options);
  const { name, workspace, ...rest } = options;
  if (name !== undefined) refuseOurName(name);
  const patch: KeyPatch = { ...settingsOf(rest, context.clock.now()), ...(name !== undefined && { name }) };
  if (Object.keys(patch).length === 0) {
    throw new RotationError("usage", "nothing to change was named", {
      hint: "give --name, --limit, --limit-reset … ; rotate keys update --help lists them",
    });
  }
  const { hash } = await findKey(provider, given, workspace);
  const key = await provider.client.update(hash, patch);
  const standing = (await standings(context)).get(hash);
  if (options.json) printJson({ provider: provider.name, key: keyJson(key, standing) });
  else print(renderFields(key.raw, standing, context.style));
  for (const line of settingsThatDiffer(patch, key)) context.screen.print(`rotate: ${line}`);
  noteDrift(context, standing);
  return EXIT.done;
}

/** A change by hand does not last where the policy is put back. */
function noteDrift({ policy, screen }: Context, standing: Standing | undefined): void {
  const key = policy.keys.find(({ name }) => name === standing?.key);
  if (standing?.state !== "current" || key?.settingsDrift !== "apply") return;
  screen.print(`rotate: ${key.name} has settingsDrift: apply: the next pass puts back what the policy says`);
}

/** `rotate keys disable HASH` and `enable HASH`. A key that consumers may use is disabled only with `force`. */
export async function setDisabled(
  context: Context,
  given: string,
  disabled: boolean,
  options: HashOptions & { force?: boolean },
): Promise<number> {
  const provider = choose(context, options.provider);
  refuseForeign(provider, { workspace: options.workspace });
  const { hash, name } = await findKey(provider, given, options.workspace);
  const standing = (await standings(context)).get(hash);
  if (disabled) refuseInUse(standing, hash, { doing: "disabling", force: options.force });
  const key = await provider.client.update(hash, { disabled });
  const done = disabled ? "disabled" : "enabled";
  if (key.disabled === !disabled) {
    throw new RotationError(
      "unclear",
      `${provider.name} answers that key ${shortHash(hash)} is not ${done}`,
      {
        hint: `look again with: rotate keys get ${hash}`,
      },
    );
  }
  if (options.json) printJson({ provider: provider.name, key: keyJson(key, standing) });
  else print(`${done} key ${hash} (${plain(key.name ?? name ?? "")})`);
  return EXIT.done;
}
