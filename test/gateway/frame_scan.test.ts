import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameScan, frameOf } from '../../src/gateway/frame_scan.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test.each<[string, unknown]>([
  ['{"jsonrpc":"2.0","id":1,"method":"ping"}', { id: 1, asks: true }],
  ['{"method":"ping","params":{"id":7,"x":[{"id":8}]},"id":"a b"}', { id: 'a b', asks: true }],
  [' {"id" : 1 , "result" : "\\"{[id" } \r', { id: 1, asks: false }],
  ['{"\\u0069d":1,"result":{}}', { id: 1, asks: false }],
  ['{"id":"\\u00e9é","result":{}}', { id: 'éé', asks: false }],
  ['{"id":1,"id":2,"method":"ping"}', undefined],
  ['{"id":1,"id":1,"method":"ping"}', undefined],
  ['{"id":1,"\\u0069d":2,"method":"ping"}', undefined],
  ['{"id":null,"method":"ping"}', undefined],
  ['{"id":1.5,"method":"ping"}', undefined],
  ['{"id":1 2,"method":"ping"}', undefined],
  ['{"id":{"id":1},"method":"ping"}', undefined],
  ['{"id":[1],"method":"ping"}', undefined],
  ['{"a" "id":1,"method":"ping"}', undefined],
  ['{"method":"ping"}', undefined],
  ['{"id":1,"method":"ping"', undefined],
  ['{"id":1}{"id":2}', undefined],
  ['{"id":1} x', undefined],
  ['[{"id":1}]', undefined],
  ['\ufeff{"id":1}', undefined],
  ['x', undefined],
  ['', undefined],
])('%s', (text, frame) => {
  expect(frameOf(bytes(text))).toEqual(frame);
});

test('an id that is no UTF-8, or longer than anybody needs, is none', () => {
  expect(frameOf(Buffer.from('{"id":"\xff"}', 'latin1'))).toBeUndefined();
  expect(frameOf(bytes(`{"id":"${'x'.repeat(2000)}"}`))).toBeUndefined();
});

test('it reads of a message what JSON.parse reads, in whatever pieces it comes', () => {
  const id = fc.oneof(fc.integer(), fc.string(), fc.constant(null), fc.json());
  const message = fc.record(
    { id, method: fc.string(), params: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(message, fc.integer({ min: 1, max: 7 }), (value, size) => {
      const text = bytes(JSON.stringify(value));
      const scan = new FrameScan();
      for (let at = 0; at < text.length; at += size) scan.feed(text.subarray(at, at + size));
      const isId = typeof value.id === 'string' || Number.isSafeInteger(value.id);
      const frame = { id: value.id, asks: value.method !== undefined };
      expect(scan.frame).toEqual(isId ? frame : undefined);
    }),
  );
});
