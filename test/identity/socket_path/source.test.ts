import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { fromSocketPath } from '../../../src/identity/socket_path/source.ts';
import { describeSource } from '../shared_suite.ts';

const root = mkdtempSync(join(tmpdir(), 'portcullis-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = (name: string, mode: number): string => {
  const path = join(root, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return join(path, 'mcp.sock');
};

const path = folder('private', 0o700);
const subject = { id: 'service:nightly', actor_type: 'automation', tenant: 'acme' } as const;
const to = (socket_path: string) => ({ requestInfo: {}, connection: { socket_path } });
const OPEN = 'the folder of the socket is open to others';

describeSource('socket_path', {
  source: fromSocketPath({ path, subject }),
  proved: [
    {
      what: 'who can open the folder',
      extra: to(path),
      context: {
        subject: {
          type: 'identity',
          id: 'service:nightly',
          properties: {
            actor_type: 'automation',
            tenant: 'acme',
            evidence: [{ source: 'socket_path', claims: ['id', 'actor_type', 'tenant'] }],
          },
        },
      },
    },
  ],
  unproved: [
    {
      what: 'a request over TCP',
      extra: { connection: {} },
      reason: 'the request did not come by a socket',
    },
    { what: 'no connection', extra: {}, reason: 'the request did not come by a socket' },
    {
      what: 'another socket',
      extra: to(join(root, 'other.sock')),
      reason: 'the request came by another socket',
    },
    ...[0o750, 0o701, 0o777].map((mode) => {
      const open = folder(`open_${mode.toString(8)}`, mode);
      return {
        what: `a folder of mode ${mode.toString(8)}`,
        source: fromSocketPath({ path: open, subject }),
        extra: to(open),
        reason: OPEN,
      };
    }),
    {
      what: 'a folder that is gone',
      source: fromSocketPath({ path: '/nowhere/mcp.sock', subject }),
      extra: to('/nowhere/mcp.sock'),
      reason: 'the identity source failed',
    },
  ],
});

test('a private folder in one that others can write is none', () => {
  const outer = join(root, 'shared');
  mkdirSync(outer);
  const inner = folder('shared/inner', 0o700);
  const source = fromSocketPath({ path: inner, subject });
  expect(source(to(inner))?.subject.id).toBe(subject.id);
  chmodSync(outer, 0o777);
  expect(source(to(inner))).toBeUndefined();
});

test('a folder that is opened to others proves nobody from then on', () => {
  const own = folder('changing', 0o700);
  const source = fromSocketPath({ path: own, subject });
  expect(source(to(own))?.subject.id).toBe(subject.id);
  chmodSync(join(own, '..'), 0o755);
  expect(source(to(own))).toBeUndefined();
});

test.each([
  [{ path: 'mcp.sock', subject }],
  [{ path: '\0abstract', subject }],
  [{ path, subject: {} }],
  [{ path, subject: { id: 'x'.repeat(600) } }],
])('%j cannot be configured', (settings) => {
  expect(() => fromSocketPath(settings)).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION_INVALID' }),
  );
});
