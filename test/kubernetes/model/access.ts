/** As in a Role: which verbs on which objects. `*` stands for all. */
export interface AccessRule {
  /** Whose rule it is; the model's own caller when left out. */
  user?: string;
  /** Every namespace when left out. */
  namespace?: string;
  /** Every group when left out. */
  apiGroups?: readonly string[];
  /** In the plural, `deployments/status` for a part of an object. */
  resources: readonly string[];
  /** Every object when left out. */
  resourceNames?: readonly string[];
  verbs: readonly string[];
}

export interface Attributes {
  user: string;
  verb: string;
  group: string;
  /** With the subresource after a slash. */
  resource: string;
  namespace: string;
  /** Empty for a create and for a list. */
  name: string;
}

/** Who may do what. Everything, until something is allowed to a user: then that alone. Denials come first. */
export class Access {
  readonly #allowed: AccessRule[] = [];
  #denied: AccessRule[] = [];
  readonly #refused = new Set<string>();
  readonly #defaultUser: string;

  constructor(defaultUser: string) {
    this.#defaultUser = defaultUser;
  }

  allow(...rules: AccessRule[]): void {
    this.#allowed.push(...rules);
  }

  deny(...rules: AccessRule[]): void {
    this.#denied.push(...rules);
  }

  /** Takes back every denial. */
  lift(): void {
    this.#denied = [];
  }

  /** Answers 401 to a user from now on: his token has expired. */
  refuse(user = this.#defaultUser): void {
    this.#refused.add(user);
  }

  accept(user = this.#defaultUser): void {
    this.#refused.delete(user);
  }

  isRefused(user: string): boolean {
    return this.#refused.has(user);
  }

  allows(asked: Attributes): boolean {
    const mine = (rule: AccessRule) => (rule.user ?? this.#defaultUser) === asked.user;
    if (this.#denied.some((rule) => mine(rule) && covers(rule, asked))) return false;
    const own = this.#allowed.filter(mine);
    return own.length === 0 || own.some((rule) => covers(rule, asked));
  }
}

/** A rule by names never covers a request that names none, such as a create. */
function covers(rule: AccessRule, asked: Attributes): boolean {
  const has = (all: readonly string[] | undefined, one: string) =>
    all === undefined || all.includes(one) || all.includes("*");
  return (
    has(rule.verbs, asked.verb) &&
    has(rule.apiGroups, asked.group) &&
    has(rule.resources, asked.resource) &&
    (rule.namespace === undefined || rule.namespace === asked.namespace) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(asked.name))
  );
}
