/** Where a page goes on: opaque to who asks, and bound to what was asked. */
import { hash } from 'node:crypto';
import { canonicalJson } from '../../contract/canonical.ts';
import { PortcullisError } from '../../errors.ts';
import type { Order } from './candidates.ts';
import type { RecordFilter } from './fields.ts';

interface Asked {
  filter: RecordFilter;
  order: Order;
}

const SHAPE = /^(0|[1-9]\d{0,15})\.([A-Za-z0-9_-]{16})$/;
const MARK_CHARACTERS = 16;

/** A cursor that goes on at a record. */
export function cursorAt(index: number, asked: Asked): string {
  return Buffer.from(`${index}.${markOf(asked)}`).toString('base64url');
}

/**
 * The record at which a cursor goes on. It is nobody's secret, and another number in it only begins
 * elsewhere, so it is not signed. Throws `REQUEST_INVALID` where it is none of this question.
 */
export function readCursor(cursor: string, asked: Asked): number {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const [, index = '', mark] = SHAPE.exec(text) ?? [];
  if (mark === markOf(asked) && Number.isSafeInteger(Number(index))) return Number(index);
  const message = 'the cursor is none that was given for these filters and this order';
  throw new PortcullisError('REQUEST_INVALID', message);
}

function markOf({ filter, order }: Asked): string {
  return hash('sha256', canonicalJson({ filter, order }), 'base64url').slice(0, MARK_CHARACTERS);
}
