/** Places that may break a rule, each with its reason; one that is no longer needed fails. */
export interface Exemption {
  rule: string;
  path: string;
  reason: string;
}

export const EXEMPTIONS: readonly Exemption[] = [];
