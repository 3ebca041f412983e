import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startChromium } from "./chromium.ts";
import { faultsOf } from "./layout.ts";
import { type Showcase, startShowcase } from "./showcase.ts";

const PHONE = { width: 360, height: 780 };

describe("the status page in Chromium", () => {
  let browser: Browser;
  let showcase: Showcase;
  /** What the console, the security policy or a script complained of. */
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await showcase.stop();
  });

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    complaints = [];
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => {
      if (!request.url().endsWith("/events")) complaints.push(`${request.url()} failed`);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(showcase.url) && !request.url().startsWith("data:"))
        complaints.push(`asks elsewhere: ${request.url()}`);
    });
    await page.goto(`${showcase.url}${path}`);
    return page;
  }

  /** Whoever holds on to the first document notices when it is replaced. */
  const mark = (page: Page) => page.evaluate("window.notReloaded = true");
  const notReloaded = (page: Page) => page.evaluate("window.notReloaded === true");

  test("shows a rotation going through its phases as it happens, and names the instance that lags, without loading anew", async () => {
    showcase = await startShowcase();
    const page = await open("/");
    await page.getByRole("heading", { level: 1, name: "All is well" }).waitFor();
    await page.locator(".live.on").waitFor();
    await mark(page);

    await showcase.rotate("payments-api");
    const card = page.locator("#key-payments-api");
    await card.locator("[aria-current=step]", { hasText: "promoted" }).waitFor();
    await card.locator(".consumer.confirmed", { hasText: "payments" }).waitFor();
    const lagging = card.locator(".consumer.waiting .no", { hasText: "billing-1" });
    await lagging.filter({ hasText: "still serves" }).waitFor();
    expect(await card.locator(".waits").textContent()).toMatch(
      /^Waits for billing to confirm, until .+ UTC \(in 4m/,
    );
    expect(await card.locator(".steps .done .phase").allTextContents()).toEqual([
      "planned",
      "staged",
      "verified",
    ]);

    const { BILLING_URL } = showcase.world.sandbox.env;
    await fetch(`${BILLING_URL}/-/reload`, { method: "POST" });
    await card.waitFor({ state: "detached" });
    await page.locator("#row-payments-api .badge.ok").waitFor();
    expect(await notReloaded(page)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("says of a held rotation what to type, and that it goes on once the instance has caught up", async () => {
    showcase = await startShowcase();
    const page = await open("/keys/support-bot");
    await page.locator(".live.on").waitFor();
    await mark(page);
    await showcase.rotate("support-bot");
    await page.locator(".notice.bad", { hasText: "Held at promoted" }).waitFor();
    const typed = await page.locator(".notice code").allTextContents();
    expect(typed).toEqual(["rotate approve support-bot --without CONSUMER", "rotate rollback support-bot"]);
    expect(await page.locator(".instances .no .name").allTextContents()).toEqual([
      expect.stringContaining("support-5d8c-w7hvd"),
    ]);
    await page.locator("#events .kind", { hasText: "hold" }).waitFor();

    showcase.catchUp();
    await page.locator("header .badge.ok").waitFor();
    await page.locator("#events .kind", { hasText: "completed" }).first().waitFor();
    expect(await notReloaded(page)).toBe(true);
    expect(complaints).toEqual([]);
  });

  test("is readable on a phone and on a wide screen, in light and in dark, by eye, keyboard and reader", async () => {
    showcase = await startShowcase();
    await showcase.rotate("support-bot");
    await showcase.rotate("payments-api");
    for (const colorScheme of ["light", "dark"] as const) {
      for (const viewport of [PHONE, { width: 1280, height: 900 }]) {
        for (const path of ["/", "/keys/support-bot", "/?q=nothing-of-the-kind", "/keys/none"]) {
          const page = await open(path, { colorScheme, viewport, reducedMotion: "reduce" });
          if (path === "/") await page.locator("#key-support-bot .notice").waitFor();
          expect({ path, colorScheme, viewport, faults: await faultsOf(page) }).toMatchObject({ faults: [] });
          await page.context().close();
        }
      }
    }
  });

  test("is reached by keyboard, and keeps focus, typed text and place while it changes", async () => {
    showcase = await startShowcase();
    const page = await open("/", { viewport: PHONE });
    await page.locator(".live.on").waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.className")).toBe("skip");
    await page.locator("#k-search").focus();
    await page.locator("#q").fill("sear");
    await page.locator("#q").focus();
    const scrolled = await page.evaluate("scrollY");
    await showcase.rotate("payments-api");
    await page.locator("#key-payments-api").waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("q");
    expect(await page.locator("#q").inputValue()).toBe("sear");
    expect(await page.evaluate("scrollY")).toBeGreaterThanOrEqual(scrolled as number);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/?q=sear");
    expect(await page.locator("#keys tbody tr").count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("is whole without JavaScript: read, filtered and followed by links", async () => {
    showcase = await startShowcase();
    await showcase.rotate("support-bot");
    const page = await open("/", { javaScriptEnabled: false });
    await expect
      .poll(
        async () => {
          await page.reload();
          return page.locator("#key-support-bot .hint code").count();
        },
        { timeout: 20_000 },
      )
      .toBe(2);
    expect(await page.locator(".live").isVisible()).toBe(false);
    expect(await page.locator("footer").textContent()).toContain("reloads itself");
    await page.locator("#state-suspended").click();
    expect(await page.locator("#keys tbody th a").allTextContents()).toEqual(["prototype"]);
    await page.locator("#q").fill("proto");
    await page.locator("#search").click();
    await page.waitForURL(`${showcase.url}/?q=proto&state=suspended`);
    await page.goto(`${showcase.url}/?q=search`);
    await page.locator("#k-search").click();
    await page.getByRole("heading", { level: 1, name: "search" }).waitFor();
    expect(await page.locator("#events tbody tr").count()).toBeGreaterThan(2);
    expect(complaints).toEqual([]);
  });

  test("says when it is not live any more, and shows no secret in all that it was sent", async () => {
    showcase = await startShowcase();
    const page = await open("/");
    await page.locator(".live.on").waitFor();
    const html = await page.content();
    const key = page.locator("#row-search code.hash");
    expect((await key.textContent())?.length).toBe(13);
    for (const secret of Object.values(showcase.world.sandbox.env).filter((value) => value.startsWith("sk-")))
      expect(html).not.toContain(secret);
    expect(html).not.toMatch(/sk-or-v1-[0-9a-f]{20}/);
    await showcase.stopWorker();
    await page.locator(".live.off").waitFor();
  });
});
