import { describe, expect, test } from '@jest/globals';
import { argumentsFault } from '../../src/pep/arguments_fault.ts';

/** A tool whose schema counts how often it is read, which is once for each compilation. */
function toolWith(type: unknown, length = 100) {
  const reads = { count: 0 };
  const inputSchema = {
    properties: { amount: { type: 'number' } },
    get type() {
      reads.count += 1;
      return type;
    },
  };
  const definition = { name: 'pay', inputSchema };
  return { reads, item: { name: 'pay', digest: 'd', text: ' '.repeat(length), definition } };
}

describe('a fault of the arguments', () => {
  test('is named by its place and keyword alone, and its schema is compiled once', () => {
    const { item, reads } = toolWith('object');
    for (const amount of ['all', 'none']) {
      expect(argumentsFault(item, { amount })).toEqual({ pointer: '/amount', keyword: 'type' });
    }
    expect(argumentsFault(item, { amount: 1 })).toBeUndefined();
    expect(reads.count).toBe(1);
  });

  test('is none by a schema that cannot be read, which is tried once', () => {
    const { item, reads } = toolWith('nonsense');
    for (const amount of ['all', 'none']) expect(argumentsFault(item, { amount })).toBeUndefined();
    expect(reads.count).toBe(1);
  });

  test.each([
    [65_536, { pointer: '/amount', keyword: 'type' }],
    [65_537, undefined],
  ])('by a definition of %d characters', (length, fault) => {
    expect(argumentsFault(toolWith('object', length).item, { amount: 'all' })).toEqual(fault);
  });

  test.each([undefined, null, [], 'object'])('is none by the schema %j', (inputSchema) => {
    const { item } = toolWith('object');
    const definition = { name: 'pay', inputSchema };
    expect(argumentsFault({ ...item, definition }, { amount: 'all' })).toBeUndefined();
  });
});
