/** The shapes that the tools share. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

/** A structured value, and its mirror in text for clients that read only text. */
export function answer(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** An amount as people write it; the books count in cents. */
export const amount = z
  .number()
  .positive()
  .max(1_000_000_000)
  .describe('Amount in units of the currency, such as 12.50');

export function toCents(units: number): number {
  const cents = Math.round(units * 100);
  if (cents < 1) throw new Error('the amount is less than a cent');
  return cents;
}

export function fromCents(cents: number): number {
  return cents / 100;
}
