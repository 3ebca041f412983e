import { awsStore } from "../../src/stores/aws/store.ts";
import { directClient } from "../aws/direct-client.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { labelsOf } from "../aws/secret-state.ts";
import { type PlaceKind, SECRET } from "./place.ts";

interface Deed {
  at: number;
  action: string;
  input: Record<string, unknown>;
}

const READS = ["DescribeSecret", "GetSecretValue"];

/** Each API action is a site. */
export const awsPlace: PlaceKind = (clock, content) => {
  const model = new SecretsManagerModel({ clock });
  const deeds: Deed[] = [];
  const perform = model.perform.bind(model);
  model.perform = (action, input) => {
    const answer = perform(action, input);
    if (!READS.includes(action)) deeds.push({ at: clock.now(), action, input });
    return answer;
  };
  for (const { at, action, input } of (content ?? []) as Deed[]) {
    clock.set(at);
    model.perform(action, input);
  }
  return {
    current: () => model.current(SECRET),
    write(SecretString) {
      const ClientRequestToken = "a person's token ".padEnd(32, "0");
      model.perform("CreateSecret", { Name: SECRET, ClientRequestToken, SecretString });
    },
    open: (random, sites) =>
      awsStore(
        "local",
        { type: "aws-secrets-manager" },
        { clock, random, client: sites.of(directClient(model), "aws") },
      ),
    image: () => ({ text: JSON.stringify(model.secret(SECRET) ?? null), content: [...deeds] }),
    mark: () => model.secret(SECRET),
    kept: () => {
      const state = model.secret(SECRET);
      const bearsMore = (id: string) => state && labelsOf(state, id).some((label) => label !== "AWSPREVIOUS");
      return JSON.stringify(state?.versions.filter(({ id }) => bearsMore(id)) ?? []);
    },
    // On what is or was current it is left over, and harms nobody until the next promotion takes it off.
    staged: () => {
      const { labels = {} } = model.secret(SECRET) ?? {};
      const passed = [labels.AWSCURRENT, labels.AWSPREVIOUS];
      return Object.entries(labels).filter(
        ([label, version]) => /^KEYTURN-(?!holds:|previous-)/.test(label) && !passed.includes(version),
      ).length;
    },
  };
};
