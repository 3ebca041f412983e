/** Who keeps a secret fresh; stamped beside it, so that two installations cannot fight over it (R11). */
export interface Owner {
  /** `installation` of the policy. */
  installation: string;
  /** The journal's own id, drawn when it was created. */
  journal: string;
}

export function sameOwner(a: Owner, b: Owner): boolean {
  return a.installation === b.installation && a.journal === b.journal;
}
