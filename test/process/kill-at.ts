/**
 * Loaded into the command with --import: counts what it does to the outside (commits of the
 * journal, renames in the store, HTTP calls to the provider) and ends the process with SIGKILL at the
 * one that KILL_AT names, `commit:3:before` or `call:2:after`. Without KILL_AT it only counts, and
 * reports the counts on file descriptor 3.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";

const [kind, number, moment] = (process.env.KILL_AT ?? "").split(":");
const counts = { commit: 0, rename: 0, call: 0 };

function site(name: keyof typeof counts, when: "before" | "after"): void {
  if (when === "before") counts[name] += 1;
  if (name === kind && counts[name] === Number(number) && when === moment)
    process.kill(process.pid, "SIGKILL");
}

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql: string): void {
  const commits = /^\s*COMMIT/i.test(sql);
  if (commits) site("commit", "before");
  exec.call(this, sql);
  if (commits) site("commit", "after");
};

const rename = fs.renameSync;
fs.renameSync = (from, to) => {
  site("rename", "before");
  rename(from, to);
  site("rename", "after");
};
syncBuiltinESMExports();

const fetch = globalThis.fetch;
globalThis.fetch = async (...args: Parameters<typeof fetch>) => {
  site("call", "before");
  const response = await fetch(...args);
  site("call", "after");
  return response;
};

process.on("exit", () => {
  if (process.env.KILL_AT === undefined) fs.writeSync(3, JSON.stringify(counts));
});
