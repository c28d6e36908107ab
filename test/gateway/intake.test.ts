/** What becomes of each text that a host or a server may send. */
import { describe, expect, test } from '@jest/globals';
import { takeText } from '../../src/gateway/intake.ts';

const SIZE_BYTES_MAX = 1000;

const take = (text: string | Uint8Array, batches = true) =>
  takeText(Buffer.from(text), SIZE_BYTES_MAX, batches);
const ping = (id: unknown) => ({ jsonrpc: '2.0', id, method: 'ping' });
const text = (value: unknown) => JSON.stringify(value);

test('a message is taken as the value that it is', () => {
  expect(take(text(ping(1)))).toEqual({ kind: 'messages', messages: [ping(1)], batch: false });
});

describe('what is not taken', () => {
  test.each<[string, string | Uint8Array, string, unknown[]]>([
    ['no JSON', 'Server listening', 'malformed', []],
    ['half of a message', '{"jsonrpc":"2.0","id":1,', 'malformed', []],
    ['a byte order mark', `\ufeff${text(ping(1))}`, 'malformed', []],
    ['two messages', `${text(ping(1))}${text(ping(2))}`, 'malformed', []],
    [
      'no UTF-8',
      Buffer.from('{"jsonrpc":"2.0","id":1,"method":"\xff"}', 'latin1'),
      'not_utf8',
      [1],
    ],
    ['a doubled name', '{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}', 'duplicate_name', [1]],
    ['a doubled id', '{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}', 'duplicate_name', []],
    ['a lone surrogate', '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', 'lone_surrogate', [1]],
    [
      'a huge number',
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{"n":1e999}}',
      'number_out_of_range',
      [1],
    ],
    [
      'a prototype',
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{"__proto__":1}}',
      'forbidden_name',
      [1],
    ],
    [
      'too deep',
      `{"jsonrpc":"2.0","id":1,"method":"a","params":{"a":${'['.repeat(99)}${']'.repeat(99)}}}`,
      'too_deep',
      [1],
    ],
    [
      'too large',
      text({ ...ping(1), params: { a: 'x'.repeat(SIZE_BYTES_MAX) } }),
      'too_large',
      [1],
    ],
  ])('%s', (_what, given, code, ids) => {
    const taken = take(given);
    expect(taken).toMatchObject({ kind: 'refused', code });
    const refused = taken.kind === 'refused' ? taken.refused : [];
    expect(refused).toEqual(
      ids.map((id) => ({
        frame: { id, asks: true },
        answer: {
          jsonrpc: '2.0',
          id,
          error: {
            code: -32700,
            message: 'Parse error',
            data: { code, pointer: expect.any(String) },
          },
        },
      })),
    );
  });

  test.each<[unknown, string, boolean]>([
    [{ id: 1, method: 'ping' }, '/jsonrpc', true],
    [{ jsonrpc: '1.0', id: 1, method: 'ping' }, '/jsonrpc', true],
    [{ ...ping(1), params: [] }, '/params', true],
    [{ ...ping(1), result: {} }, '/result', true],
    [{ ...ping(1), more: 1 }, '/more', true],
    [{ jsonrpc: '2.0', id: 1, method: 7 }, '/method', true],
    [{ jsonrpc: '2.0', id: 1 }, '/result', false],
    [{ jsonrpc: '2.0', id: 1, result: {}, error: {} }, '/result', false],
  ])('JSON that is no message: %j', (value, pointer, asks) => {
    const error = { code: -32600, message: 'Invalid request', data: { pointer } };
    const answer = { jsonrpc: '2.0', id: 1, error };
    const refused = [{ frame: { id: 1, asks }, answer }];
    expect(take(text(value))).toEqual({
      kind: 'refused',
      code: 'no_message',
      refused,
      batch: false,
    });
  });

  test.each([[null], [7], ['text'], [{}], [ping(null)], [ping({})], [ping(1.5)]])(
    'JSON that tells no id: %j',
    (value) => {
      expect(take(text(value))).toMatchObject({ kind: 'refused', refused: [] });
    },
  );
});

describe('a batch', () => {
  const notification = { jsonrpc: '2.0', method: 'notifications/progress' };

  test('goes as a whole', () => {
    const messages = [ping(1), notification, { jsonrpc: '2.0', id: 1, result: {} }, ping('1')];
    expect(take(text(messages))).toEqual({ kind: 'messages', messages, batch: true });
  });

  test.each<[string, unknown[], unknown[]]>([
    ['nothing', [], []],
    ['no message', [ping(1), 7, notification], [1]],
    ['a malformed message', [ping(1), { ...ping(2), jsonrpc: '1' }], [1, 2]],
    ['a batch', [ping(1), [ping(2)]], [1]],
    ['initialize', [{ ...ping(1), method: 'initialize' }, ping(2)], [1, 2]],
    ['one id twice', [ping(1), ping(1)], [1, 1]],
  ])('is refused as a whole where it holds %s', (_what, messages, ids) => {
    const taken = take(text(messages));
    expect(taken).toMatchObject({ kind: 'refused', code: 'no_batch', batch: true });
    const refused = taken.kind === 'refused' ? taken.refused : [];
    expect(refused.map(({ frame }) => frame.id)).toEqual(ids);
  });

  test('is refused where the revision has none', () => {
    expect(take(text([ping(1)]), false)).toMatchObject({ kind: 'refused', batch: false });
  });
});
