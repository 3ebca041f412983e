/**
 * Loaded into the command with --import: ends the process with SIGKILL at the site that KILL_AT
 * names, like `commit:3:before`. Without KILL_AT it counts the sites, and reports the counts on
 * file descriptor 3.
 *
 *     commit   a commit of the journal                                  before, after
 *     rename   a file of the store takes its place                      before, after
 *     call     a request by fetch: the provider                         before, within, after
 *     request  a request by node:http: AWS, probes, reload hooks        before, within, after
 *
 * `within` is when the request is written and nothing of its answer is read; `after`, when the
 * answer is read to its end and nothing has been done about it.
 */
import { subscribe } from "node:diagnostics_channel";
import fs from "node:fs";
import type { ClientRequest } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { DatabaseSync } from "node:sqlite";

const [kind, number, moment] = (process.env.KILL_AT ?? "").split(":");
const counts = { commit: 0, rename: 0, call: 0, request: 0 };

/** One more site of a kind is come to. */
function come(name: keyof typeof counts): number {
  counts[name] += 1;
  pass(name, counts[name], "before");
  return counts[name];
}

function pass(name: keyof typeof counts, count: number, when: "before" | "within" | "after"): void {
  if (name === kind && count === Number(number) && when === moment) process.kill(process.pid, "SIGKILL");
}

const exec = DatabaseSync.prototype.exec;
DatabaseSync.prototype.exec = function (sql: string): void {
  const commits = /^\s*COMMIT/i.test(sql);
  const count = commits ? come("commit") : 0;
  exec.call(this, sql);
  if (commits) pass("commit", count, "after");
};

const rename = fs.renameSync;
fs.renameSync = (from, to) => {
  const count = come("rename");
  rename(from, to);
  pass("rename", count, "after");
};
syncBuiltinESMExports();

const calls = new WeakMap<object, number>();
const requestOf = (message: unknown) => (message as { request: object }).request;
subscribe("undici:request:create", (message) => {
  calls.set(requestOf(message), come("call"));
});
subscribe("undici:request:bodySent", (message) => {
  pass("call", calls.get(requestOf(message)) ?? 0, "within");
});
subscribe("undici:request:trailers", (message) => {
  pass("call", calls.get(requestOf(message)) ?? 0, "after");
});

subscribe("http.client.request.created", (message) => {
  const request = requestOf(message) as ClientRequest;
  const count = come("request");
  request.once("finish", () => pass("request", count, "within"));
  request.once("response", (response) => response.once("end", () => pass("request", count, "after")));
});

process.on("exit", () => {
  if (process.env.KILL_AT === undefined) fs.writeSync(3, JSON.stringify(counts));
});
