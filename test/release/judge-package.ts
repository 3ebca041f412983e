/** node judge-package.ts TARBALL: whether a package holds exactly what users need, and is not much larger than that. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Every file is one of these, and of each there is one at least. Types are those of keyturn/consumer alone. */
const WANTED = [
  /^(CHANGELOG\.md|LICENSE|README\.md|package\.json|rotation\.yaml)$/,
  /^dist\/(cli|consumer|container)\.js$/,
  /^dist\/consumer\.d\.ts$/,
  /^dist\/lib\/secret\.d\.ts$/,
  // What the three load, and the notices of what is part of them.
  /^dist\/[a-z][a-z0-9-]*\.js$/,
  /^dist\/third-party\.md$/,
  /^config\/(rotation|notification)\.schema\.json$/,
  /^config\/aws-iam-policy\.json$/,
  /^config\/examples\/[a-z-]+\.yaml$/,
  /^config\/kubernetes\/.+\.yaml$/,
  /^config\/helm\/keyturn\/.+$/,
  /^config\/monitoring\/.+\.(json|yaml)$/,
  /^docs\/([a-z-]+|README)\.md$/,
  /^docs\/examples\/[A-Za-z]+\.(go|java|mjs|py)$/,
];
const NEVER = /\.test\.|\.keyturn|\.tgz$|node_modules|\.env|\.db(-|$)|\.pem$|\.key$/;
/** In bytes. Beyond this something has got in that nobody wants to download. */
const MOST_PACKED = 1024 * 1024;
const MOST_UNPACKED = 4 * 1024 * 1024;

const [tarball = ""] = process.argv.slice(2);
const bytes = readFileSync(tarball);
const unpacked = gunzipSync(bytes).length;
const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
  .trim()
  .split("\n")
  .map((path) => path.replace(/^package\//, ""));

const faults = [
  ...files
    .filter((file) => NEVER.test(file) || !WANTED.some((wanted) => wanted.test(file)))
    .map((file) => `does not belong there: ${file}`),
  ...WANTED.filter((wanted) => !files.some((file) => wanted.test(file))).map(
    (wanted) => `is missing: ${wanted.source}`,
  ),
  ...(bytes.length > MOST_PACKED ? [`larger than ${MOST_PACKED} bytes`] : []),
  ...(unpacked > MOST_UNPACKED ? [`unpacked, larger than ${MOST_UNPACKED} bytes`] : []),
];
for (const fault of faults) console.log(fault);
console.log(`${files.length} files, ${bytes.length} bytes, ${unpacked} unpacked`);
process.exitCode = faults.length === 0 ? 0 : 1;
