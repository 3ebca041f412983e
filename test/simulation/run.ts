import { Command, InvalidArgumentError } from "commander";
import { campaign } from "./campaign.ts";
import { report } from "./report.ts";
import { broken, planWith, shrink } from "./seed.ts";
import { simulate } from "./simulate.ts";

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("a whole number is wanted");
  return value;
}

interface Options {
  seeds: number;
  from: number;
  days: number;
  jobs?: number;
  once?: boolean;
  seed?: number;
  keep?: number[];
}

const program = new Command("npm run simulate --")
  .description(
    "Runs keyturn against a world of troubles in virtual time; a failing seed is cut down and told.",
  )
  .option("--seeds <n>", "how many", whole, 100)
  .option("--from <seed>", "the first", whole, 1)
  .option("--days <n>", "virtual days of trouble for each", whole, 30)
  .option("--once", "run each seed once in place of twice")
  .option("--jobs <n>", "threads; one a core unless said", whole)
  .option("--seed <seed>", "run this one alone and tell its whole story", whole)
  .option("--keep <numbers>", "with --seed: only these of its happenings, as in 3,7,9; or none", (text) =>
    text === "none" ? [] : text.split(",").map(whole),
  );
program.parse();
const options = program.opts<Options>();
process.exitCode = options.seed === undefined ? await many(options) : await one(options.seed, options);

async function one(seed: number, { days, keep }: Options): Promise<number> {
  const outcome = await simulate(planWith(seed, days, keep), { story: true });
  console.log(outcome.story?.join("\n"));
  const wrong = broken(outcome);
  console.log(wrong.length === 0 ? "no invariant is broken" : wrong.join("\n"));
  return wrong.length === 0 ? 0 : 1;
}

async function many(options: Options): Promise<number> {
  const { seeds, from, days, jobs, once = false } = options;
  const startedAt = Date.now();
  const found = await campaign({
    from,
    seeds,
    days,
    once,
    ...(jobs === undefined ? {} : { jobs }),
    onProgress: (done) => {
      if (done % 1000 === 0) console.error(`${done} seeds, ${Math.round((Date.now() - startedAt) / 1000)} s`);
    },
  });
  console.log(report(found, once));
  for (const { seed, broken, differs } of found.broken) {
    console.log(`\nseed ${seed}: ${differs ? "two runs were not the same" : broken[0]}`);
    if (broken.length === 0) continue;
    const kept = await shrink(seed, days);
    console.log(`npm run simulate -- --seed ${seed} --days ${days} --keep ${kept.join(",") || "none"}`);
  }
  return found.broken.length === 0 ? 0 : 1;
}
