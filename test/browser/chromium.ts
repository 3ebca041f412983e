import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium, or the one that KEYTURN_CHROMIUM names. */
export function startChromium(env: NodeJS.ProcessEnv = process.env): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.KEYTURN_CHROMIUM ?? "/usr/bin/chromium",
    env: env as Record<string, string>,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
