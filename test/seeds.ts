import fc from "fast-check";

/** The same draws in every run, so that a commit passes or it doesn't; `KEYTURN_TEST_SEED=random` looks for more. */
const { KEYTURN_TEST_SEED = "1" } = process.env;
if (KEYTURN_TEST_SEED !== "random") fc.configureGlobal({ seed: Number(KEYTURN_TEST_SEED) });
