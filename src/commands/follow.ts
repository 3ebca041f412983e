import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult, Progress } from "../rotation/report.ts";
import type { Context } from "./context.ts";
import { logProgress } from "./log-progress.ts";
import { liveList } from "./render/live.ts";

const REDRAW_MS = 250;

type FollowOptions = Omit<PassOptions, "signal" | "onProgress">;

/** Runs a pass and shows it as it goes: a live list where the screen can draw, log lines elsewhere. */
export async function follow(context: Context, options: FollowOptions): Promise<KeyResult[]> {
  const { engine, clock, signal, observer } = context;
  const startedAt = clock.now();
  const results = await shown(context, options, (onProgress) =>
    engine.pass({
      ...options,
      signal,
      onProgress: (progress) => {
        observer?.onProgress?.(progress);
        onProgress(progress);
      },
    }),
  );
  observer?.passed?.(results, clock.now() - startedAt);
  return results;
}

async function shown(
  { clock, log, screen, screenStyle }: Context,
  options: FollowOptions,
  pass: (onProgress: (progress: Progress) => void) => Promise<KeyResult[]>,
): Promise<KeyResult[]> {
  if (!screen.live) return await pass(logProgress(log));

  const list = liveList(options.keys ?? [], clock.now(), screenStyle);
  const draw = () => screen.draw(list.render(clock.now()));
  const onProgress = (progress: Progress) => {
    list.apply(progress, clock.now());
    draw();
  };
  const timer = setInterval(draw, REDRAW_MS);
  try {
    return await pass(onProgress);
  } finally {
    clearInterval(timer);
    draw();
    screen.done();
  }
}
