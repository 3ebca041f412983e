/** What a rollout probe does not prove, for `plan` and `validate`. */
export const ROLLOUT_PROVES =
  "a finished rollout proves that every pod was created after its Secret had the new key, not that it uses that key; " +
  "one that has the key from elsewhere (another Secret, a file, its image) goes unseen";
