/** Row 12: headers that mirror a message say another method or name than its body. */
import { describe } from '@jest/globals';
import { ENVELOPE, VERSION } from '../pep/support/http.ts';
import { callOf } from './support/bank.ts';
import type { HttpWire } from './support/doors.ts';
import { lenientHttp } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import {
  guardedEndpoints,
  guardedHttp,
  naiveHttp,
  type Check,
  type Said,
} from './support/targets.ts';

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

const MIRRORS: Record<string, string>[] = [
  { 'mcp-method': 'tools/list', 'mcp-name': 'balance' },
  { 'mcp-method': 'tools/call', 'mcp-name': 'balance' },
  { 'mcp-method': 'tools/call', 'mcp-name': base64('balance') },
  { 'mcp-method': 'tools/call' },
  { 'mcp-method': 'ping', 'mcp-name': '' },
];

/** It decides on the headers, which are there to spare it the body. */
const readsHeaders: Check = ({ headers }) => headers.get('mcp-name') !== 'secret';

describe.each(MIRRORS)('a forbidden call under %j', (headers) => {
  const attack: Attack<HttpWire> = ({ say }) => say(JSON.stringify(callOf('secret')), headers);
  bypass(attack, {
    held: guardedEndpoints(),
    breached: { 'a guard that reads headers': naiveHttp(1, { check: readsHeaders }) },
  });
});

const MODERN: Record<string, string>[] = [
  { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'balance' },
  { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/list' },
  { 'mcp-protocol-version': '2025-11-25', 'mcp-name': 'balance' },
  { 'mcp-protocol-version': '2025-03-26' },
  {},
];

describe.each(MODERN)('a forbidden call of the modern era under %j', (headers) => {
  const call = callOf('secret') as Said;
  const message = { ...call, params: { ...call.params, _meta: ENVELOPE } };
  const attack: Attack<HttpWire> = ({ say }) => say(JSON.stringify(message), headers);
  bypass(attack, {
    held: { 'HTTP, 2.x': guardedHttp(2), 'HTTP, 1.x': guardedHttp(1) },
    // 2.x compares them itself; a server of another make need not.
    breached: { 'a guard that reads headers': lenientHttp(readsHeaders) },
  });
});
