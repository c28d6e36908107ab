/** Obligations and results that the tests share. */
import type { Obligation } from '../../../src/contract/types.gen.ts';

export const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
export type Unstructured = 'refuse' | 'drop' | 'redact';
export type Mode = 'remove' | 'replace' | 'digest';

export function keep(paths: string[], unstructured: Unstructured = 'drop'): Obligation {
  return { type: 'keep_fields', paths, unstructured };
}

export function mask(paths: string[], mode: Mode, unstructured: Unstructured = 'drop'): Obligation {
  return { type: 'mask_fields', paths, mode, unstructured };
}

/** A value in both of its places. */
export function structured(value: object) {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}
