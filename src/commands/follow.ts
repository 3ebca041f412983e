import type { PassOptions } from "../rotation/engine-api.ts";
import type { KeyResult, Progress } from "../rotation/report.ts";
import type { Context } from "./context.ts";
import { logProgress } from "./log-progress.ts";
import { liveList } from "./render/live.ts";

const REDRAW_MS = 250;

/** Runs a pass and shows it as it goes: a live list where the screen can draw, log lines elsewhere. */
export async function follow(
  { engine, clock, log, screen, screenStyle, signal }: Context,
  options: Omit<PassOptions, "signal" | "onProgress">,
): Promise<KeyResult[]> {
  if (!screen.live) return await engine.pass({ ...options, signal, onProgress: logProgress(log) });

  const list = liveList(options.keys ?? [], clock.now(), screenStyle);
  const draw = () => screen.draw(list.render(clock.now()));
  const onProgress = (progress: Progress) => {
    list.apply(progress, clock.now());
    draw();
  };
  const timer = setInterval(draw, REDRAW_MS);
  try {
    return await engine.pass({ ...options, signal, onProgress });
  } finally {
    clearInterval(timer);
    draw();
    screen.done();
  }
}
