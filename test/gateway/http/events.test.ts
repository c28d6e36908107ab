import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readEvents, type Resumption } from '../../../src/gateway/http/events.ts';

const LIMIT_BYTES = 20;

async function eventsOf(
  chunks: readonly string[],
  resumption: Resumption = { last_event_id: undefined, retry_ms: undefined },
): Promise<(string | undefined)[]> {
  const source = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  const events: (string | undefined)[] = [];
  for await (const { data } of readEvents(source, LIMIT_BYTES, resumption)) {
    events.push(data && Buffer.from(data).toString());
  }
  return events;
}

test.each<[string, string, (string | undefined)[]]>([
  ['one line', 'data: a\n\n', ['a']],
  ['no space', 'data:a\n\n', ['a']],
  ['two spaces', 'data:  a\n\n', [' a']],
  ['two lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['its type', 'event: message\ndata: a\n\n', ['a']],
  ['another type', 'event: ping\ndata: a\n\n', []],
  ['comments and unknown fields', ': hello\nfoo: bar\ndata: a\n\n', ['a']],
  ['no data', 'id: 1\n\n', []],
  ['empty data', 'data:\n\n', []],
  ['no end', 'data: a\n', []],
  ['CRLF and CR', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c']],
  ['as much as the limit', `data: ${'x'.repeat(LIMIT_BYTES)}\n\n`, ['x'.repeat(LIMIT_BYTES)]],
  ['more than the limit', `data: ${'x'.repeat(LIMIT_BYTES + 1)}\n\ndata: a\n\n`, [undefined, 'a']],
  ['more in one line', `data: ${'x'.repeat(500)}\n\ndata: a\n\n`, [undefined, 'a']],
  ['more in many lines', `${'data: abc\n'.repeat(6)}\ndata: a\n\n`, [undefined, 'a']],
])('an event of %s', async (_what, text, events) => {
  expect(await eventsOf([text])).toEqual(events);
});

test('what a reader needs to go on is kept', async () => {
  const resumption: Resumption = { last_event_id: undefined, retry_ms: undefined };
  await eventsOf(['id: a\nretry: 10\n\nid: b\nretry: soon\ndata: x\n\nid: c\0\n\n'], resumption);
  expect(resumption).toEqual({ last_event_id: 'b', retry_ms: 10 });
});

test('any cuts give the same events', async () => {
  const text = 'id: 1\r\ndata: a\r\ndata: b\r\n\r\nevent: message\rdata: c\r\rdata: d\n\n';
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(cuts, async (sizes) => {
      const chunks: string[] = [];
      for (let at = 0; at < text.length;) {
        const size = sizes[chunks.length % sizes.length] ?? 1;
        chunks.push(text.slice(at, at + size));
        at += size;
      }
      expect(await eventsOf(chunks)).toEqual(['a\nb', 'c', 'd']);
    }),
  );
});
