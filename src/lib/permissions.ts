/** What the process may do under Node's permission model, beside its own work in memory and on the network. */
export interface Permissions {
  /** Files, and folders with all that is in them. */
  read: readonly string[];
  /** To be read too. */
  write: readonly string[];
  /** Programs may be started: exec probes and reloads, credential plugins. */
  childProcess: boolean;
}

/** The variables by which a user of the image allows more than it does by itself. */
const ALLOW = {
  read: "KEYTURN_ALLOW_READ",
  write: "KEYTURN_ALLOW_WRITE",
  childProcess: "KEYTURN_ALLOW_CHILD_PROCESS",
};

/** What to do where programs may not be started. */
export const ALLOW_PROGRAMS = `set ${ALLOW.childProcess}=1 in keyturn's image, or start Node with --allow-child-process`;

/** `base` and what the environment allows beside it: paths with a colon between them, and `1` for programs. */
export function withAllowed(
  base: Permissions,
  env: Readonly<Record<string, string | undefined>>,
): Permissions {
  const paths = (name: string) => (env[name] ?? "").split(":").filter((path) => path !== "");
  return {
    read: [...base.read, ...paths(ALLOW.read)],
    write: [...base.write, ...paths(ALLOW.write)],
    childProcess: base.childProcess || env[ALLOW.childProcess] === "1",
  };
}

/** Node's options for these permissions. */
export function permissionOptions({ read, write, childProcess }: Permissions): string[] {
  return [
    "--permission",
    ...[...read, ...write].map((path) => `--allow-fs-read=${withAllBelow(path)}`),
    ...write.map((path) => `--allow-fs-write=${withAllBelow(path)}`),
    // Node warns of what was asked for.
    ...(childProcess ? ["--allow-child-process", "--disable-warning=PERM0002"] : []),
  ];
}

/** In Node's notation this is the path itself too. */
function withAllBelow(path: string): string {
  return path.endsWith("*") ? path : `${path.replace(/\/+$/, "")}/*`;
}

/** What a failure says, and what to do. */
export interface Refusal {
  message: string;
  hint: string;
}

/** What Node's permission model has refused; undefined for any other failure. */
export function refusedByNode(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error) || (thrown as NodeJS.ErrnoException).code !== "ERR_ACCESS_DENIED")
    return undefined;
  const { permission, resource } = thrown as { permission?: string; resource?: string };
  const may = Object.entries(MAY).find(([name]) => name === permission)?.[1];
  if (may !== undefined && resource) return refusal(may, resource);
  return {
    message: thrown.message,
    hint: "Node's permission model refuses it: allow what it names, or start Node without --permission",
  };
}

/** Why the permission model will not let a folder be read and written with all that is in it; undefined where it will. */
export function refusedFolder(path: string): Refusal | undefined {
  // Undefined without the model, whatever its type says.
  const permission = process.permission as typeof process.permission | undefined;
  if (!permission || (permission.has("fs.read", path) && permission.has("fs.write", path))) return undefined;
  return refusal(MAY.FileSystemWrite, path);
}

interface May {
  what: string;
  variable: string;
  option: string;
}

const MAY = {
  FileSystemRead: { what: "read it", variable: `${ALLOW.read}=PATH`, option: "--allow-fs-read=PATH" },
  FileSystemWrite: {
    what: "write it",
    variable: `${ALLOW.write}=PATH`,
    option: "--allow-fs-read=PATH --allow-fs-write=PATH",
  },
  ChildProcess: {
    what: "start programs",
    variable: `${ALLOW.childProcess}=1`,
    option: "--allow-child-process",
  },
} satisfies Record<string, May>;

function refusal({ what, variable, option }: May, path: string): Refusal {
  const named = (text: string) => text.replaceAll("PATH", () => path);
  return {
    message: `${path}: keyturn may not ${what}`,
    hint: `Node's permission model refuses it: in keyturn's image set ${named(variable)}; elsewhere start Node with ${named(option)}`,
  };
}
