import { defineConfig } from "vitest/config";

/** Tests that change what all of a process shares (nock puts itself before fetch; a user id): each file in a process of its own. */
const alone = [
  "test/lib/http-fetch.test.ts",
  "test/policy/file-faults.test.ts",
  "test/providers/*-wire.test.ts",
  "test/stores/aws-transcript.test.ts",
  "test/crashes/file.test.ts",
];
/** Every command as a process of its own, hundreds of them: a minute by themselves (`npm run test:commands`). */
const commands = [
  "test/process/**/*.test.ts",
  "test/cli/demo.test.ts",
  "test/cli/sandbox.test.ts",
  "test/aws/demo.test.ts",
];
/** Of those, what `npm test` runs too. */
const always = ["test/process/canary.test.ts", "test/process/two-workers.test.ts"];
/** In Chromium, which `.ci/browser` brings along: otherwise not at all. */
const browser = ["test/browser/**/*.test.ts"];
/** Against a real API server, which test/kubernetes/run-real starts: otherwise not at all. */
const kubernetes = ["test/kubernetes/real/**/*.test.ts"];
/** The chart by the real helm, which .ci/helm builds; some of it beside that API server. */
const helm = ["test/helm/**/*.test.ts"];
/** The built image by podman, which .ci/container brings along: otherwise not at all. */
const container = ["test/container/**/*.test.ts"];

export default defineConfig({
  test: {
    // Against a hang only: a loaded machine may be slow, and no test measures time.
    testTimeout: 60_000,
    // Many tests wait for child processes: more workers than the usual two cores keep them busy.
    maxWorkers: 4,
    setupFiles: ["test/seeds.ts"],
    projects: [
      {
        extends: true,
        // Modules are loaded once a worker and not once a file, which halves the time.
        test: {
          name: "shared",
          include: ["test/**/*.test.ts"],
          exclude: [...alone, ...commands, ...browser, ...kubernetes, ...helm, ...container],
          isolate: false,
        },
      },
      { extends: true, test: { name: "alone", include: [...alone, ...always] } },
      {
        extends: true,
        // Real processes with real deadlines: what a loaded machine spoils once is tried once more.
        test: { name: "commands", include: commands, exclude: always, isolate: false, retry: 1 },
      },
      ...(process.env.KEYTURN_TEST_HELM
        ? [{ extends: true as const, test: { name: "helm", include: helm, testTimeout: 180_000 } }]
        : []),
      ...(process.env.KEYTURN_TEST_BROWSER
        ? [
            {
              extends: true as const,
              test: { name: "browser", include: browser, isolate: false, testTimeout: 120_000, retry: 1 },
            },
          ]
        : []),
      ...(process.env.KEYTURN_TEST_PODMAN
        ? [{ extends: true as const, test: { name: "container", include: container, testTimeout: 180_000 } }]
        : []),
      ...(process.env.KEYTURN_TEST_KUBECONFIG
        ? [
            {
              extends: true as const,
              test: { name: "kubernetes", include: kubernetes, isolate: false, testTimeout: 180_000 },
            },
          ]
        : []),
    ],
  },
});
