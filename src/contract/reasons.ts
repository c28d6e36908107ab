/**
 * Reason codes of Portcullis itself (requirement E-13) with the sentence a caller may read. A
 * policy may add its own codes and sentences; these are the ones that the code can give.
 */
export const REASONS = {
  ACTOR_VALIDATION_FAILED: 'This operation requires an actor that could not be validated.',
  ALLOWED: 'The server policy allows this operation.',
  APPROVAL_REQUIRED: 'This operation requires approval before execution.',
  APPROVAL_VALIDATION_FAILED: 'The approval for this operation could not be validated.',
  ARGUMENTS_INCOMPLETE: 'The server could not evaluate the arguments of this operation.',
  ARGUMENTS_TOO_LARGE: 'The arguments of this operation are too large.',
  CAPABILITY_NOT_ALLOWED: 'The server policy does not allow this operation.',
  CAPABILITY_NOT_VISIBLE: 'The server policy does not allow this operation.',
  DEFINITION_CHANGED: 'The definition of this capability changed while it was being decided.',
  OBLIGATION_UNSUPPORTED: 'The server cannot meet a condition of this operation.',
  POLICY_DENIED: 'The server policy does not allow this operation.',
  POLICY_INDETERMINATE: 'The server policy could not decide this operation.',
  POLICY_UNAVAILABLE: 'The server policy is not available.',
  RESULT_WITHHELD: 'The result of this operation may not be shown.',
  STEP_UP_REQUIRED: 'This operation requires a stronger login.',
  TOO_MANY_TASKS: 'Too many tasks of this server are open.',
  UNKNOWN_METHOD_DENIED: 'The server policy does not allow this method.',
} as const satisfies Record<string, string>;

/** A reason code of Portcullis itself. */
export type OwnReason = keyof typeof REASONS;

/** What a denial of the draft calls the reasons that only we have: its codes are a closed list. */
const DRAFT_CODES: Readonly<Partial<Record<string, OwnReason>>> = {
  ARGUMENTS_INCOMPLETE: 'POLICY_INDETERMINATE',
  ARGUMENTS_TOO_LARGE: 'POLICY_INDETERMINATE',
  DEFINITION_CHANGED: 'POLICY_INDETERMINATE',
  OBLIGATION_UNSUPPORTED: 'POLICY_DENIED',
  RESULT_WITHHELD: 'POLICY_DENIED',
  STEP_UP_REQUIRED: 'POLICY_DENIED',
  TOO_MANY_TASKS: 'POLICY_INDETERMINATE',
};

/** The code for the denial object of the draft; a policy's own stays. */
export function draftCode(code: string): string {
  return (Object.hasOwn(DRAFT_CODES, code) && DRAFT_CODES[code]) || code;
}

/** The sentence for a code: a policy's own if it gave one, else ours, else the general one. */
export function safeMessage(code: string, ownMessage?: string | null): string {
  if (ownMessage) return ownMessage;
  return Object.hasOwn(REASONS, code) ? REASONS[code as OwnReason] : REASONS.POLICY_DENIED;
}
