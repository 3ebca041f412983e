#!/usr/bin/env node
/**
 * Where the command starts. It must run on any Node, far enough to say that this one is too old:
 * so it has no static import and uses no recent syntax; everything else is imported after the check.
 */
const OLDEST_NODE = 24;
/** To answer these, no command is needed. */
const INSTANT = ["--version", "-V", "--help", "-h"];

if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  const quoted = process.argv
    .slice(1)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`));
  process.stderr.write(
    `rotate: keyturn needs Node ${OLDEST_NODE} or newer and this is Node ${process.versions.node}; run: npx -y node@${OLDEST_NODE} ${quoted.join(" ")}\n`,
  );
  process.exitCode = 2;
} else {
  if (process.pid === 1) endUponSignals();
  const words = process.argv.slice(2);
  if (words.length === 0 || (words.length === 1 && INSTANT.includes(words[0] as string)))
    import("./commands/instant.ts").then((instant) => instant.main(words));
  else {
    keepCompiled();
    import("./commands/program.ts").then((program) => program.main(words));
  }
}

/**
 * Node keeps what it has compiled beside the build, for the next start; only where the build is ours
 * alone to write, so that whoever could put something there could change the build itself.
 */
function keepCompiled() {
  const { dirname, filename } = import.meta;
  if (!filename.endsWith(".js") || process.permission) return;
  const { mkdirSync, statSync } = process.getBuiltinModule("node:fs");
  const isOursAlone = (folder: string) => {
    const { uid, mode } = statSync(folder);
    return process.getuid && uid === process.getuid() && (mode & 0o022) === 0;
  };
  const cache = `${dirname}/.cache`;
  try {
    if (!isOursAlone(dirname)) return;
    mkdirSync(cache, { recursive: true, mode: 0o700 });
    if (isOursAlone(cache)) process.getBuiltinModule("node:module").enableCompileCache(cache);
  } catch {
    // The file system is read-only or full: it goes without.
  }
}

/** To the first process of a container the kernel gives no signal that it has no handler for. */
function endUponSignals() {
  for (const [name, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.on(name, () => {
      // A command that takes the signal itself has a handler beside this one.
      if (process.listenerCount(name) === 1) process.exit(128 + number);
    });
  }
}
