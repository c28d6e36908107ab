/** What a witness cosigns: only trees that begin with the last one it cosigned of that log. */
import type { Clock } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseCheckpoint, signaturesOfLog, type Checkpoint } from '../verify/checkpoint.ts';
import { faultOf, Refuted, type Fault, type FaultCode } from '../verify/fault.ts';
import type { VerifierKey } from '../verify/key.ts';
import { EMPTY_ROOT, isConsistent } from '../verify/merkle.ts';
import { parseNote } from '../verify/note.ts';
import { knownSignatures, type KnownSignature } from '../verify/signature.ts';
import type { Cosigner } from './cosigner.ts';
import type { WitnessState } from './state.ts';
import type { Submission } from './submission.ts';

export interface WitnessParts {
  /** A key speaks for the log whose origin is its name. */
  logs: readonly VerifierKey[];
  cosigner: Cosigner;
  state: WitnessState;
  clock: Clock;
  log: Logger;
}

/** The last checkpoint of a log that was cosigned here. */
export interface Cosigned extends Checkpoint {
  /** With the signatures of the log and of this witness. */
  note: string;
  /** Seconds since 1970-01-01T00:00:00Z. */
  time_s: number;
}

export type Reply =
  | { kind: 'cosigned'; line: string; note: string }
  /** The submission is not about the tree that was cosigned last, which has this size. */
  | { kind: 'conflict'; size: number }
  | { kind: 'refused'; fault: Fault };

export class Witness {
  readonly #parts: WitnessParts;

  /** Throws `EVIDENCE_DAMAGED` where the state holds what its key did not sign, of any log. */
  constructor(parts: WitnessParts) {
    this.#parts = parts;
    // A log whose name was damaged would otherwise be one that was never seen.
    for (const origin of parts.state.origins()) if (!this.latest(origin)) throw notOurs();
  }

  get logs(): readonly VerifierKey[] {
    return this.#parts.logs;
  }

  /** What was cosigned last. Throws `EVIDENCE_DAMAGED` where that is not what this key signed. */
  latest(origin: string): Cosigned | undefined {
    const { state, cosigner } = this.#parts;
    const note = state.latest(origin);
    if (note === undefined) return undefined;
    try {
      const parsed = parseNote(Buffer.from(note));
      const checkpoint = parseCheckpoint(parsed);
      const [own] = knownSignatures(parsed, [cosigner.key]);
      if (checkpoint.origin === origin && own?.time_s !== undefined) {
        return { ...checkpoint, note, time_s: own.time_s };
      }
    } catch (error) {
      faultOf(error);
    }
    throw notOurs();
  }

  /**
   * Judges a submission (C2SP tlog-witness, add-checkpoint) and cosigns it. Runs without a pause,
   * so that no other submission comes between the check and the store, and the cosignature exists
   * for others only after the store. Throws what the state throws.
   */
  add(submission: Submission): Reply {
    try {
      return this.#judge(submission);
    } catch (error) {
      return { kind: 'refused', fault: faultOf(error) };
    }
  }

  #judge({ old_size, path, checkpoint: bytes }: Submission): Reply {
    const note = parseNote(bytes);
    const checkpoint = parseCheckpoint(note);
    const signatures = signaturesOfLog(note, checkpoint, this.#parts.logs);
    if (old_size > checkpoint.size) throw new Refuted('PROOF_MALFORMED');
    const latest = this.latest(checkpoint.origin);
    const signed = noteOf(note.text, signatures);
    if (latest?.size === checkpoint.size && !latest.root.equals(checkpoint.root)) {
      // Two trees of one size are proof against the log, whatever was asked for.
      this.accuse('LOG_FORKED', latest, signed);
    }
    const old = latest ?? { size: 0, root: EMPTY_ROOT };
    if (old_size !== old.size) return { kind: 'conflict', size: old.size };
    if (checkpoint.size === 0 && !checkpoint.root.equals(EMPTY_ROOT)) {
      throw new Refuted('ROOT_FALSE', 'an empty tree has another root');
    }
    if (old.size === checkpoint.size && !old.root.equals(checkpoint.root)) {
      throw new Refuted('LOG_FORKED');
    }
    if (!isConsistent(old, checkpoint, path)) throw new Refuted('CONSISTENCY_UNPROVED');
    // A clock that was set back must not date this before the smaller tree.
    const time_s = Math.max(this.#now_s(), latest?.time_s ?? 0);
    const line = this.#parts.cosigner.cosign(note.text, time_s);
    this.#parts.state.store(checkpoint.origin, signed + line);
    return { kind: 'cosigned', line, note: signed + line };
  }

  /** Tells the operator what a log did, with both things that it signed. */
  accuse(code: FaultCode, known: Cosigned, found: string): void {
    this.#parts.log.error('the log contradicts itself', { code, known: known.note, found });
  }

  #now_s(): number {
    return Math.floor(this.#parts.clock.now_ms() / 1000);
  }
}

function notOurs(): PortcullisError {
  const message = 'the state of the witness is not what its key signed';
  return new PortcullisError('EVIDENCE_DAMAGED', message);
}

/** A note with none but these signatures. */
export function noteOf(text: string, signatures: readonly KnownSignature[]): string {
  return `${text}\n${signatures.map(({ line }) => line).join('')}`;
}
