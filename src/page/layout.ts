import { createHash } from "node:crypto";
import { type Content, html, trusted } from "./html.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

export interface Sheet {
  /** Of the tab. */
  title: string;
  installation: string;
  main: Content;
  /** Of what is shown; the script compares it with what it is told. */
  version: string;
  /** Epoch milliseconds. */
  now: number;
  /** Set where the page is about one key. */
  key?: string;
}

/** How often the page loads itself anew where nothing keeps it live, in seconds. */
const RELOAD_S = 30;

/** The whole document. */
export function layout({ title, installation, main, version, now, key }: Sheet): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · keyturn</title>
<link rel="icon" href="data:,">
<noscript><meta http-equiv="refresh" content="${RELOAD_S}"></noscript>
<style>${trusted(STYLE)}</style>
</head>
<body data-version="${version}" data-now="${now}"${key !== undefined && html` data-key="${key}"`}>
<a class="skip" href="#main">To the content</a>
<header class="frame top"><a class="name" id="home" href="/">keyturn</a><span>${installation}</span><span class="live" id="live" hidden><i aria-hidden="true"></i><span>connecting</span></span></header>
<main id="main" class="frame">${main}</main>
<footer class="frame">Read-only: requests are typed, with <code>rotate</code>. Times are UTC.<noscript> This page reloads itself every ${RELOAD_S} seconds.</noscript></footer>
<script>${trusted(SCRIPT)}</script>
</body>
</html>
`.text;
}

const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Only this style, only this script, and only calls to where the page is from. */
export const CONTENT_SECURITY = [
  "default-src 'none'",
  `style-src ${digest(STYLE)}`,
  `script-src ${digest(SCRIPT)}`,
  "connect-src 'self'",
  "img-src data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");
