import type { Command, Option } from "commander";
import { type Context, withEngine } from "./context.ts";
import { examples, json } from "./options.ts";
import type { Run } from "./program.ts";
import {
  changeableOptions,
  fixedOptions,
  nameOption,
  providerOption,
  workspacesOption,
} from "./provider-keys/options.ts";

/** What the journal says is looked at, and nothing written there. */
const LOOKS = { acts: false };
/** A signal between the provider and the store must not cost a key. */
const ACTS = { acts: true };

/** Declares `rotate keys …`: the provider's key endpoints by hand. */
export function declareKeys(program: Command, run: Run): void {
  const keys = program
    .command("keys")
    .description("the provider's keys by hand: list, get, create, update, disable, enable, delete, current")
    .addHelpText(
      "after",
      examples(
        "rotate keys list",
        "rotate keys get 3f2a9c01",
        "rotate keys create ci --limit 5 --reveal > ci.key",
      ),
    );

  const declare = (name: string, description: string, options: readonly Option[], ...lines: string[]) => {
    const command = keys.command(name).description(description).addOption(providerOption());
    for (const option of options) command.addOption(option);
    return command.addOption(json()).addHelpText("after", examples(...lines));
  };
  const looking = (command: (context: Context) => Promise<number>) =>
    run((globals) => withEngine(globals, LOOKS, command));
  const HASH = ["<HASH>", "hash of a key, or at least the first 8 characters of it"] as const;

  declare(
    "list",
    "every key, with the key of the policy that it belongs to",
    [workspacesOption(), nameOption("--name <text>", "only keys with this in their name")],
    "rotate keys list",
    "rotate keys list --include-disabled --name payments --json",
  )
    .option("--include-disabled", "disabled keys too")
    .action((options) =>
      looking(async (context) => (await import("./provider-keys/list.ts")).list(context, options)),
    );

  declare(
    "get",
    "every field of a key",
    [workspacesOption()],
    "rotate keys get 3f2a9c01",
    "rotate keys get 3f2a9c01 --json",
  )
    .argument(...HASH)
    .action((hash: string, options) =>
      looking(async (context) => (await import("./provider-keys/get.ts")).get(context, hash, options)),
    );

  declare(
    "create",
    "create a key and print it once (--reveal), or put it straight into a store (--store, --secret)",
    [...changeableOptions(), ...fixedOptions()],
    "rotate keys create ci --limit 5 --limit-reset monthly --reveal > ci.key",
    "rotate keys create ci --expires-after 45d --store local --secret ci --field API_KEY",
  )
    .argument("<NAME>", "what the provider calls it")
    .option("--reveal", "print the key on standard output, and nothing else")
    .addOption(nameOption("--store <name>", "a store of the policy"))
    .addOption(nameOption("--secret <id>", "the secret in it; made when there is none"))
    .addOption(nameOption("--field <name>", "the secret is a JSON object and this its field"))
    .action((name: string, options) =>
      run((globals) =>
        withEngine(globals, ACTS, async (context) =>
          (await import("./provider-keys/create.ts")).create(context, name, options),
        ),
      ),
    );

  declare(
    "update",
    "give a key other settings",
    [nameOption("--name <text>", "another name"), ...changeableOptions(), workspacesOption()],
    "rotate keys update 3f2a9c01 --limit 25 --limit-reset weekly",
    "rotate keys update 3f2a9c01 --limit none",
  )
    .argument(...HASH)
    .action((hash: string, options) =>
      looking(async (context) => (await import("./provider-keys/change.ts")).update(context, hash, options)),
    );

  declare(
    "disable",
    "refuse a key until it is enabled again",
    [workspacesOption()],
    "rotate keys disable 3f2a9c01",
    "rotate keys disable 3f2a9c01 --force",
  )
    .argument(...HASH)
    .option("--force", "also a key of the policy that consumers may use")
    .action((hash: string, options) =>
      looking(async (context) =>
        (await import("./provider-keys/change.ts")).setDisabled(context, hash, true, options),
      ),
    );

  declare(
    "enable",
    "accept a disabled key again",
    [workspacesOption()],
    "rotate keys enable 3f2a9c01",
    "rotate keys enable 3f2a9c01 --json",
  )
    .argument(...HASH)
    .action((hash: string, options) =>
      looking(async (context) =>
        (await import("./provider-keys/change.ts")).setDisabled(context, hash, false, options),
      ),
    );

  declare(
    "delete",
    "delete a key for good; asks first",
    [workspacesOption()],
    "rotate keys delete 3f2a9c01",
    "rotate keys delete 3f2a9c01 --yes",
  )
    .argument(...HASH)
    .option("--yes", "do not ask")
    .option("--force", "also a key of the policy that consumers may use")
    .action((hash: string, options) =>
      looking(async (context) =>
        (await import("./provider-keys/delete.ts")).deleteKey(context, hash, options),
      ),
    );

  declare(
    "current",
    "what the provider says of a key; it is read from standard input",
    [],
    "rotate keys current",
    "rotate keys current --json < found-key.txt",
  ).action((options) =>
    looking(async (context) => (await import("./provider-keys/current.ts")).current(context, options)),
  );
}
