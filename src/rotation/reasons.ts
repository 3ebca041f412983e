import type { ErrorCode } from "../lib/errors.ts";

/** Why something is looked at. A look changes nothing. */
export const LOOKS = {
  "look-store": "Reads the secret in the store.",
  "look-key": "Asks the provider about one key.",
  "look-accepted": "Tries a key at the provider.",
  "look-list": "Walks the provider's list of keys.",
  "look-attachments": "Asks the provider what hangs on a key, such as guardrails.",
  "look-consumers": "Asks every consumer which key it uses.",
  "first-sweep": "Asks every consumer before anything is changed, so that none is ill from the start.",
} as const;

/** Why something is changed: at the provider, in the store, at a consumer, or in the journal alone. */
export const CHANGES = {
  // Taking a secret over, and knowing what is in it.
  claim: "Stamps this installation beside a secret that nobody owns.",
  "take-over": "Takes a secret over from another installation, as an operator asks.",
  adopt: "Finds out which of the provider's keys was put into the secret by hand.",
  "left-behind": "After a take-over, looks for what the former owner left at the provider and in the store.",
  "current-changed": "Takes another key as current, as the store shows.",
  "current-disabled": "Enables the current key, which is disabled at the provider.",
  // When.
  scheduled: "Writes down when the key is due next.",
  overdue: "The key has been due for long, and nothing could be started.",
  "clock-went-back": "The clock was set back; waits count from now.",
  unblocked: "What kept the key from being rotated is over.",
  // The start.
  provision: "Starts a rotation that issues the first key of a secret.",
  rotate: "Starts a rotation.",
  // Replacing the key.
  intend: "Writes down the exact name that the new key will bear, before it is created.",
  create: "Creates the new key at the provider and stages it in the store.",
  "create-absent": "A create without a reply has made no key; another one follows under a new name.",
  "staged-found": "Finds the new key staged already.",
  "plaintext-lost": "Gives up a new key whose plaintext never reached the store.",
  "orphan-found": "Deletes a key of ours whose plaintext was lost.",
  "stray-staged": "Gives up a key that was staged by a rotation that had ended.",
  verified: "The new key answers at the provider and has the settings asked for.",
  abandon: "Gives up the new key, which is not as it should be.",
  promote: "Makes the new key the store's current.",
  "promoted-found": "Finds the new key current already.",
  "base-moved": "Stages the new key again on top of what else was changed in the secret.",
  // The consumers.
  reload: "Tells a consumer to read its key again.",
  confirmed: "Every instance of every consumer uses the new key.",
  "no-consumers": "There is no consumer to ask, as the policy says.",
  "revoke-unconfirmed": "Goes on without confirmation, because the old key is revoked.",
  usage: "Writes down how much the old key was used.",
  "still-used": "The old key was used meanwhile; the overlap starts again.",
  relapse: "A consumer uses the old key again; the confirmation starts again.",
  "relapse-enable": "Enables the old key for a consumer that uses it again.",
  // Ending the old key.
  disable: "Disables the old key at the provider.",
  "enabled-since": "Finds the old key enabled again, and disables it anew.",
  refused: "The provider refuses the old key; or, of a request, that it cannot be done.",
  completed: "The rotation is complete.",
  "retire-disable": "Disables a key on its way out.",
  "retire-delete": "Deletes a key on its way out.",
  deleted: "The key is deleted; its plaintext leaves the store.",
  fence: "Writes the current value again, so that no late promotion of a given-up key can succeed.",
  "current-again": "Keeps a key on its way out, because it is current again.",
  "current-no-more": "A key that was kept because it seemed to be current again is on its way out after all.",
  walked: "Has walked the provider's list and found no lost key of ours.",
  // Going back.
  rollback: "Goes back to the previous key, as an operator asks.",
  "rollback-enable": "Enables the previous key at the provider.",
  "rollback-stage": "Stages the previous key's value as a new version.",
  "rollback-gone": "The previous key is gone at the provider; the rotation ends as failed.",
  "rollback-lost": "The store no longer has the previous key's plaintext; the rotation ends as failed.",
  "rollback-refused":
    "The provider refuses the previous key although it is enabled; the rotation ends as failed.",
  "rollback-early": "Ends the rotation, as an operator asks, before anything was promoted.",
  "rollback-mints": "The previous key may not come back; a new one is issued instead.",
  "rotate-instead": "Gives up going back and issues a new key, as an operator asks.",
  "confirm-timeout": "Goes back to the old key, because the consumers did not confirm in time.",
  "revert-enable": "Enables the old key at the provider.",
  "promote-back": "Makes the old key the store's current again.",
  "promoted-back-found": "Finds the old key current again already.",
  "put-back": "Stages the old key's value again, to go back to it.",
  reverted: "Every consumer uses the old key again; the rotation has ended reverted.",
  // What people ask for.
  answered: "Takes an operator's request as done.",
  approved: "Goes on with a held rotation, as an operator approves.",
  released: "Goes on with a held rotation, as an operator asks.",
  "approved-foreign": "Accepts the value that somebody else wrote, as an operator approves.",
  revoke: "Distrusts every key issued until now and issues a new one, as an operator asks.",
  // The end of what held a rotation.
  "foreign-gone": "The secret holds an expected value again; the held rotation goes on.",
  "confirmed-late": "Every consumer has confirmed after all; the held rotation goes on.",
  "allowed-again": "What held the rotation is over; it goes on.",
  "held-expiring": "Gives up a held rotation, because the current key is about to expire.",
  // Settings.
  drift: "The key's settings at the provider differ from the policy.",
  "no-drift": "The key's settings at the provider are as the policy says.",
  "settings-applied": "Gives the key the policy's settings.",
} as const;

/** Why a rotation is held or a key is blocked; beside these, the code of the error that stopped it. */
export const HOLDS = {
  "consumers-unconfirmed": "A consumer did not confirm the new key in time.",
  "revert-unconfirmed": "A consumer did not confirm the old key in time, on the way back.",
  "consumer-unhealthy": "A consumer does not answer well before anything was changed.",
  "foreign-current": "Somebody else wrote the secret.",
  "foreign-rotation": "The secret is being rotated by something else, such as a rotation Lambda.",
  "rival-owner": "The secret bears the stamp of another installation or journal.",
  "current-vanished": "The secret has lost the key that was current.",
  "adopt-absent": "The policy names a key to adopt, and the secret holds none.",
  "another-account": "The provider's account is not the one that the current key is of.",
  "create-unresolved": "Several creates went unanswered, and none of the keys can be found.",
  "still-accepted": "The provider goes on accepting the old key although it is disabled.",
  "old-key-gone": "The old key is gone, and there is nothing to go back to.",
  "old-key-refused": "The provider refuses the old key on the way back.",
  "clock-skew": "This machine's clock and the provider's are too far apart.",
  suspended: "The policy says `suspend: true`.",
  renamed: "A name in the journal and one in the policy say different things of a key.",
} as const;

/** What is waited for; beside these, the code of the error after which a step is tried again. */
export const WAITS = {
  activation: "The provider to accept or show a key.",
  consumers: "The consumers to confirm.",
  usage: "The new key to be used, or the old one to stay quiet.",
  overlap: "The time that both keys live, `retire.after`.",
  window: "A window of the policy to open.",
  "disable-delay": "The provider to refuse the disabled key.",
  watch: "The time that the consumers are watched after the old key was disabled, `retire.watch`.",
  soak: "The time that a disabled key is kept, `retire.keepDisabledFor`.",
  "list-delay": "The provider's list to show a deletion.",
} as const;

export type HoldReason = keyof typeof HOLDS | ErrorCode;
export type WaitReason = keyof typeof WAITS | ErrorCode;
export type StepReason = keyof typeof LOOKS | keyof typeof CHANGES | HoldReason;
