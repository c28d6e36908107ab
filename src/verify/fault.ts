/** Why something is not proved. The codes are stable, and listed in docs/verify.md. */

/** Each code with what it means. */
export const FAULTS = {
  KEY_MALFORMED: 'a verifier key is not of the form name+id+key, or its id is not that of the key',
  KEY_UNSUITED: 'a key of this signature type cannot be what it was given for',
  POLICY_MALFORMED: 'the file of trusted logs and witnesses breaks its format',
  TOO_LARGE: 'a file, a note or a record is larger than any that is read',
  PROOF_MALFORMED: 'the receipt is not a `.tlog-proof` file',
  RECORD_ABSENT: 'the proof carries no record in its `extra` line',
  NOTE_MALFORMED: 'the checkpoint is not a signed note',
  CHECKPOINT_MALFORMED: 'the signed text is not a checkpoint',
  LOG_UNKNOWN: 'the checkpoint is of a log that is not trusted here',
  LOG_SIGNATURE_ABSENT: 'no key of the log signed the checkpoint',
  SIGNATURE_INVALID: 'a signature by a trusted key is not of that checkpoint',
  QUORUM_UNMET: 'too few of the trusted witnesses cosigned the checkpoint',
  INCLUSION_FALSE: 'the record is not at that index of the log',
  RECORD_INVALID: 'what the log holds there is not a record of evidence in its canonical form',
  RECORD_MISPLACED: 'the record carries another index than its place in the log',
  DISCLOSURE_MALFORMED: 'what stands behind a record does not disclose what records seal',
  DISCLOSURE_FALSE: 'what is disclosed is not what the record sealed',
  TILE_MISSING: 'a file of the log is missing',
  TILE_MALFORMED: 'a file of the log has not the length or form that the size of the log demands',
  TILE_FALSE: 'hashes in a tile are not those of the entries',
  ROOT_FALSE: 'the entries do not add up to the root of the signed checkpoint',
  CONSISTENCY_UNPROVED: 'the proof does not show that the new tree begins with the old one',
  LOG_TRUNCATED: 'the log signed a smaller tree than before: records at its end are gone',
  LOG_FORKED: 'the log signed two different trees of one size',
  LOG_REWRITTEN: 'the log signed a larger tree that does not begin with the one it signed before',
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof FAULTS;

/** Thrown inside by the step that failed; `verified` turns it into a value. */
export class Refuted extends Error {
  readonly code: FaultCode;

  /** `detail` is lower case and holds no text of what was read. */
  constructor(code: FaultCode, detail: string = FAULTS[code]) {
    super(detail);
    this.name = 'Refuted';
    this.code = code;
  }
}

export interface Fault {
  code: FaultCode;
  detail: string;
}

export type Verified<T> = { ok: true; value: T } | { ok: false; fault: Fault };

/** The value of the steps, or the fault of the first that failed. */
export function verified<T>(steps: () => T): Verified<T> {
  try {
    return { ok: true, value: steps() };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** The fault that was thrown. Throws again whatever is none. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Refuted)) throw error;
  return { code: error.code, detail: error.message };
}
