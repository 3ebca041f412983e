/**
 * Makes docs/images/status-*.png from a worker over the sandbox: `node test/browser/screenshots.ts`.
 * Uses the font Inter and pngquant where they are installed (Debian: fonts-inter, pngquant).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChromium } from "./chromium.ts";
import { startShowcase } from "./showcase.ts";

const IMAGES = fileURLToPath(new URL("../../docs/images/", import.meta.url));
mkdirSync(IMAGES, { recursive: true });

const SHOTS = [
  { name: "status-light", colorScheme: "light", width: 1040, height: 900, fullPage: true },
  { name: "status-dark", colorScheme: "dark", width: 1040, height: 900, fullPage: true },
  { name: "status-phone", colorScheme: "light", width: 390, height: 1000, fullPage: false },
] as const;

/** What the page asks for is the reader's own font, of which a server's system has none. */
function withFont(): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(tmpdir(), "keyturn-fonts-"));
  const file = join(home, "fonts.conf");
  const names = ["system-ui", "sans-serif", "sans"].map(
    (name) =>
      `<match><test name="family"><string>${name}</string></test><edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>`,
  );
  writeFileSync(
    file,
    `<fontconfig><include>/etc/fonts/fonts.conf</include><cachedir>${home}</cachedir>${names.join("")}</fontconfig>`,
  );
  return { ...process.env, FONTCONFIG_FILE: file };
}

const showcase = await startShowcase();
const browser = await startChromium(withFont());
try {
  await showcase.rotate("support-bot");
  await showcase.rotate("payments-api");
  for (const { name, colorScheme, fullPage, ...viewport } of SHOTS) {
    const page = await browser.newPage({ colorScheme, viewport });
    await page.goto(showcase.url);
    await page.locator("#key-support-bot .notice").waitFor();
    await page.locator("#key-payments-api .consumer.confirmed").waitFor();
    await page.locator(".live.on").waitFor();
    const path = join(IMAGES, `${name}.png`);
    await page.screenshot({ path, fullPage });
    await page.close();
    spawnSync("pngquant", ["--force", "--strip", "--output", path, "128", path]);
  }
} finally {
  await browser.close();
  await showcase.stop();
}
