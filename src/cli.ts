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
  import("./commands/program.ts").then((program) => program.main(process.argv.slice(2)));
}
