import type { Findings } from "./findings.ts";
import { holdsSecret } from "./literals.ts";
import { mapScalars, type Scalar, type Tree } from "./tree.ts";

const REFERENCE = /\$?\$\{([^}]*)(\}?)/g;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/;

/**
 * Fills `${NAME}` and `${NAME:-default}` into every string that is no secret; `$${` stands for
 * `${`. A variable that is not set, or empty, takes its default and is a fault without one.
 */
export function interpolate(
  tree: Tree,
  env: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Tree {
  return mapScalars(tree, (scalar) =>
    typeof scalar.value === "string" && scalar.value.includes("${") && !holdsSecret(scalar.path)
      ? { ...scalar, ...fill(scalar, scalar.value, env, findings) }
      : scalar,
  );
}

function fill(
  { at, path }: Scalar,
  template: string,
  env: Readonly<Record<string, string | undefined>>,
  findings: Findings,
): Pick<Scalar, "value" | "template"> {
  let fromEnvironment = false;
  const refuse = (message: string, hint: string) => {
    findings.faultAt(at.start, path, message, hint);
    broken = true;
  };
  let broken = false;
  const value = template.replace(REFERENCE, (whole, inner: string, close: string) => {
    if (whole.startsWith("$$")) return whole.slice(1);
    const [, name, fallback] = (close && NAME_AND_DEFAULT.exec(inner)) || [];
    if (name === undefined) {
      refuse(`found ${whole}; accepted: \${NAME} or \${NAME:-default}`, "write $${ where ${ itself is meant");
      return whole;
    }
    const found = Object.hasOwn(env, name) ? env[name] : undefined;
    if (found) {
      fromEnvironment = true;
      findings.fromEnvironment(name, found);
      return found;
    }
    if (fallback === undefined) {
      const what = found === undefined ? "not set" : "empty";
      refuse(`environment variable ${name} is ${what}`, `set ${name}, or give a default: \${${name}:-…}`);
    }
    return fallback ?? whole;
  });
  if (broken) findings.settle(path);
  return fromEnvironment ? { value, template } : { value };
}
