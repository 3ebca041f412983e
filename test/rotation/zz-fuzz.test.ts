import { expect, test } from "vitest";
import { mortality } from "./mortal.ts";
import { DAY, FIELD, HOUR, hashOf, MINUTE, scenario, seededRandom } from "./scenario.ts";

const FROM = Number(process.env.FROM ?? 0),
  N = Number(process.env.N ?? 60);
test("fuzz", async () => {
  const bad: string[] = [];
  for (let seed = FROM; seed < FROM + N; seed += 1) {
    const r = seededRandom(`f${seed}`);
    const pick = <T>(list: T[]): T => list[Math.floor(r.fraction() * list.length)] as T;
    const world = await scenario({
      seed: `s${seed}`,
      key: {
        schedule: { every: "1d" },
        confirm: { timeout: pick(["5s", "1m"]), interval: "5s", onTimeout: pick(["hold", "rollback"]) },
        retire: {
          after: pick(["0s", "30s"]),
          watch: pick(["0s", "10s"]),
          keepDisabledFor: pick(["0s", "1h", "2d"]),
        },
      },
    });
    const trace: string[] = [];
    try {
      for (let step = 0; step < 10; step += 1) {
        const what = pick([
          "kill",
          "kill",
          "kill",
          "fault",
          "stuck",
          "unstuck",
          "edit",
          "rollback",
          "now",
          "revoke",
          "sleep",
          "approve",
        ]);
        trace.push(what);
        if (what === "fault") {
          const f = `${pick(["create", "update", "delete", "get", "list", "current"])}:${pick(["lost-reply", "reset", "done-500", "truncated", "late", "429", "500:3"])}`;
          trace.push(f);
          world.faults.add(f);
        }
        if (what === "stuck") world.payments.stuck();
        if (what === "unstuck") world.payments.stuck(false);
        if (what === "edit") world.write({ ...world.file(), OTHER: `e${step}` });
        if (what === "foreign") { world.write({ ...world.file(), [FIELD]: world.byHand("by hand") }); if (r.fraction() < 0.5) world.payments.settle(); }
        if (what === "clock") world.clock.set(world.clock.now() + pick([-2 * HOUR, -10_000, HOUR, -DAY]));
        if (what === "scale") world.payments.scaleUp();
        if (what === "relapse") for (const one of world.payments.instances) if (one.holding.length === 0 && world.model.accepted(one.serving ?? "")) one.stuck = true;
        if (what === "two") { await Promise.all([world.process().now({ within: 5 * MINUTE }), world.process().once({ within: 5 * MINUTE })]); }
        if (what === "sleep") await world.clock.sleep(pick([MINUTE, HOUR, DAY + HOUR]));
        if (what === "revoke") world.revoking = true;
        const at = what === "kill" ? Math.floor(r.fraction() * 60) + 1 : 1e9;
        const life = mortality(at, pick(["before", "after"]));
        const process = world.process(life);
        const act = async () => {
          if (what === "now") return process.now({ within: 10 * MINUTE });
          if (what === "rollback" || what === "revoke" || what === "approve")
            return process.ask(what, { within: 10 * MINUTE });
          if (what === "kill" && r.fraction() < 0.6) return process.now({ within: 10 * MINUTE });
          return process.once({ within: 10 * MINUTE });
        };
        await Promise.race([act(), life.died]);
        trace.push(life.dead ? `died@${life.calls.at(-1)}` : "lived");
        process.kill();
        await world.clock.sleep(MINUTE);
      }
      world.calm();
      world.payments.stuck(false);
      for (let i = 0; i < 3; i += 1) {
        await world.process().once();
        await world.clock.sleep(HOUR);
      }
      for (let i = 0; i < 2; i += 1) if ((await world.process().status()).state === "held") { await world.process().ask("approve"); await world.clock.sleep(HOUR); }
      for (let i = 0; i < 4; i += 1) {
        await world.clock.sleep(DAY + HOUR);
        await world.process().once();
      }
      const status = await world.process().status();
      const live = world.live().filter((k) => k.name.startsWith("keyturn/") || k.hash === hashOf(world.current())).map((k) => k.hash);
      if (world.violations.length)
        bad.push(`${seed} violations ${world.violations[0]} :: ${trace.join(" ")}`);
      if (live.length !== 1 || live[0] !== hashOf(world.current()))
        bad.push(
          `${seed} live ${live.length} ${live.includes(hashOf(world.current()) ?? "")} ${status.state} ${status.message} :: ${trace.join(" ")}`,
        );
      if (world.payments.serving()[0] !== world.current()) bad.push(`${seed} serving`);
      if (!world.model.accepted(world.current() as string))
        bad.push(`${seed} dead current :: ${trace.join(" ")}`);
      const text = JSON.stringify([
        ...world.journalState.documents,
        ...world.journalState.events,
        ...world.logged,
      ]);
      if (/sk-or-v1-[0-9a-f]{64}/.test(text)) bad.push(`${seed} leak`);
      const staged = world.backing.get("payments")?.record?.staged.length ?? 0;
      if (staged > 0) bad.push(`${seed} staged ${JSON.stringify(world.backing.get("payments")?.record?.staged.map((v) => [v.staged, v.id, v.base, hashOf((v.content as Record<string, string>)[FIELD])]))} status ${status.state} ${status.message} ${JSON.stringify(status.retiring)} current ${hashOf(world.current())} doc ${[...world.journalState.documents.values()][0]?.slice(0, 1500)}`);
    } catch (e) {
      bad.push(`${seed} threw ${(e as Error).stack?.slice(0, 400)} :: ${trace.join(" ")}`);
    }
  }
  console.log(bad.length, bad.slice(0, 12).join("\n"));
}, 200_000);
