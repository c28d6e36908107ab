import { expect, test } from '@jest/globals';
import { correlationId } from '../../src/telemetry/correlation.ts';

const random = { id: () => 'new' };

test.each(['a', 'x'.repeat(128), '00-4bf9-00f0-01', '~!"'])('`%s` is kept', (given) => {
  expect(correlationId(given, random)).toBe(given);
});

test.each([
  ['nothing', undefined],
  ['empty', ''],
  ['too long', 'x'.repeat(129)],
  ['a space', 'a b'],
  ['a line feed', 'a\nb'],
  ['not ASCII', 'ä'],
  ['no text', 7],
])('%s is replaced', (_name, given) => {
  expect(correlationId(given, random)).toBe('new');
});
