#!/usr/bin/env node
/**
 * Where the command starts. It must run on any Node, far enough to say that this one is too old:
 * so it has no static import and uses no recent syntax; everything else is imported after the check.
 */
const OLDEST_NODE = 24;

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
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V"))
    import("./commands/version.ts").then((version) => version.main(words));
  else import("./commands/program.ts").then((program) => program.main(words));
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
