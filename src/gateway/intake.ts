/**
 * From the text of a message to its value. Both ends of a wrapper read texts that nobody has looked
 * at: what two readers could read differently goes no further, and who waits for it is told.
 */
import { JSON_LIMITS, parseJson, type JsonFault } from '../contract/json.ts';
import { failure, invalidRequest } from '../pep/answers.ts';
import { isObject, readMessage } from '../pep/message.ts';
import { frameOf, type Frame } from './frame_scan.ts';

export type Intake =
  | { kind: 'messages'; messages: readonly object[]; batch: boolean }
  | { kind: 'refused'; code: string; refused: readonly Refused[]; batch: boolean };

/** A message that was not taken, and what is said to who waits for it. */
export interface Refused {
  frame: Frame;
  answer: object;
}

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32700;

/** Takes a text of at most that many bytes. A batch is an array of messages (MCP 2025-03-26). */
export function takeText(bytes: Uint8Array, size_bytes_max: number, batches: boolean): Intake {
  const limits = { size_bytes_max, depth_max: JSON_LIMITS.depth_max };
  const parsed = parseJson(bytes, limits);
  if (!parsed.ok) return refuseText(parsed.fault, frameOf(bytes));
  const { value } = parsed;
  if (Array.isArray(value)) return takeBatch(value, batches);
  const message = readMessage(value);
  if (message.kind !== 'malformed') {
    return { kind: 'messages', messages: [value as object], batch: false };
  }
  return { kind: 'refused', code: 'no_message', refused: refuseEach([value]), batch: false };
}

/** A text that was not kept, or that cannot be read. */
export function refuseText({ code, pointer }: JsonFault, frame: Frame | undefined): Intake {
  if (!frame) return { kind: 'refused', code, refused: [], batch: false };
  const answer = failure(frame.id, PARSE_ERROR, 'Parse error', { code, pointer });
  return { kind: 'refused', code, refused: [{ frame, answer }], batch: false };
}

/** A batch goes as a whole or not at all, so that none of it passes unseen behind the rest. */
function takeBatch(members: readonly unknown[], taken: boolean): Intake {
  const batch = taken;
  if (taken && isBatch(members)) {
    return { kind: 'messages', messages: members as readonly object[], batch };
  }
  return { kind: 'refused', code: 'no_batch', refused: refuseEach(members), batch };
}

/** `initialize` stands alone (MCP 2025-03-26, lifecycle); two requests of one id are no two. */
function isBatch(members: readonly unknown[]): boolean {
  const messages = members.map(readMessage);
  const asking = messages.filter((message) => message.kind === 'request');
  return (
    members.length > 0 &&
    messages.every(({ kind }) => kind !== 'malformed') &&
    asking.every(({ method }) => method !== 'initialize') &&
    new Set(asking.map(({ id }) => id)).size === asking.length
  );
}

function refuseEach(values: readonly unknown[]): Refused[] {
  return values.filter(isObject).flatMap((value) => {
    const { id, method } = value;
    if (typeof id !== 'string' && !Number.isSafeInteger(id)) return [];
    const message = readMessage(value);
    const pointer = message.kind === 'malformed' ? message.pointer : '';
    const frame = { id, asks: method !== undefined } as Frame;
    return [{ frame, answer: invalidRequest(frame.id, pointer) }];
  });
}
