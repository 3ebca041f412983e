import { Document, isScalar, isSeq, visit } from "yaml";
import type { KubeObject } from "../kubernetes/api.ts";
import type { KubeRight } from "./needed.ts";

/** Who is given the rights. */
export interface Account {
  namespace: string;
  name: string;
}

/**
 * The YAML for `kubectl apply`: the ServiceAccount, in each namespace a Role of exactly these rights
 * and its RoleBinding, and the objects. The same for the same policy, byte by byte.
 */
export function rightsManifest(
  account: Account,
  rights: readonly KubeRight[],
  objects: readonly KubeObject[],
): string {
  const namespaces = [...Map.groupBy(rights, ({ namespace }) => namespace)];
  const documents = [
    commented("Who keyturn is in the cluster.", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: account.name, namespace: account.namespace },
      // keyturn's own pods ask for the token themselves.
      automountServiceAccountToken: false,
    }),
    ...namespaces.flatMap(([namespace, theirs]) => [
      role(account, namespace, theirs),
      yaml(binding(account, namespace)),
    ]),
    ...objects.map((object, index) => (index === 0 ? commented(EMPTY, object) : yaml(object))),
  ];
  return `${HEAD}${documents.join("---\n")}`;
}

const HEAD = `# Made by \`rotate init --kubernetes-rbac\`: what this policy needs, and no more. For: kubectl apply -f
# Make it again whenever the policy gets another secret, consumer or journal. While a key that has
# left the policy still has something in flight, keep its rules.

`;

const EMPTY = `What keyturn keeps, empty: made here because RBAC cannot allow to create by name. Another apply
leaves what keyturn has written; kubectl replace or delete would not.`;

function role({ name }: Account, namespace: string, rights: readonly KubeRight[]): string {
  const head = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name, namespace },
  };
  const rules = rulesOf(rights).map(({ why, rule }) => {
    const [first = "", ...more] = yaml(rule).trimEnd().split("\n");
    return [
      ...why.map((line) => `  # ${line}`),
      `  - ${first}`,
      ...more.map((line) => `    ${line}`),
      "",
    ].join("\n");
  });
  return `${yaml(head)}rules:\n${rules.join("")}`;
}

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** Objects of one kind with the same verbs for the same reasons share a rule. */
function rulesOf(rights: readonly KubeRight[]): { why: string[]; rule: Rule }[] {
  const byObject = Map.groupBy(rights, ({ resource, name }) =>
    JSON.stringify([resource.group, resource.plural, name]),
  );
  const objects = [...byObject.values()].map((theirs) => ({
    of: theirs[0] as KubeRight,
    verbs: theirs.map(({ verb }) => verb),
    why: [...new Set(theirs.map(({ why }) => why))],
  }));
  const alike = Map.groupBy(objects, ({ of: { resource, name }, verbs, why }) =>
    JSON.stringify([resource.group, resource.plural, name === undefined, verbs, why]),
  );
  return [...alike.values()].map((group) => {
    const { of, verbs, why } = group[0] as (typeof group)[number];
    const names = group.map(({ of: { name } }) => name).filter((name) => name !== undefined);
    return {
      why,
      rule: {
        apiGroups: [of.resource.group],
        resources: [of.resource.plural],
        ...(names.length > 0 && { resourceNames: names }),
        verbs,
      },
    };
  });
}

function binding(account: Account, namespace: string): object {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: account.name, namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account.name },
    subjects: [{ kind: "ServiceAccount", name: account.name, namespace: account.namespace }],
  };
}

function commented(comment: string, object: object): string {
  return `${comment.replace(/^/gm, "# ")}\n${yaml(object)}`;
}

/** What kubectl reads is YAML 1.1, to which `on` and `0o7` mean something. Lists of words stand on one line. */
function yaml(object: object): string {
  const document = new Document(object, { version: "1.1", aliasDuplicateObjects: false });
  visit(document, {
    Seq: (_, list) => {
      if (isSeq(list) && list.items.every(isScalar)) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, directives: false });
}
