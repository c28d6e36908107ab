/** What a table of methods says of a method and of a type, by the real one and by small ones. */
import { describe, expect, test } from '@jest/globals';
import {
  actsOn,
  isListed,
  methodFault,
  rowOf,
  verbsOf,
  type MethodTable,
} from '../../../src/decision/static_rbac/methods.ts';
import { METHODS } from '../../../src/pep/methods.ts';

test.each(['tool', 'prompt', 'resource', 'resource_template'])(
  'of the type %s there are lists that are filtered',
  (type) => {
    expect(isListed(METHODS, type)).toBe(true);
  },
);

test.each(['task', 'mcp_server', 'completion', 'wrench'])(
  'of the type %s no list is filtered, whatever else lists it',
  (type) => {
    expect(isListed(METHODS, type)).toBe(false);
  },
);

test('a name that is no text is no method, although it reads as one', () => {
  expect(rowOf(METHODS, 'tools/call')).toBe(METHODS['tools/call']);
  expect(rowOf(METHODS, ['tools/call'])).toBeUndefined();
});

describe('a method acts', () => {
  test('on things of its type, or of every type where it has none', () => {
    expect(actsOn({ handling: 'decide', resource_type: 'tool' }, 'tool')).toBe(true);
    expect(actsOn({ handling: 'decide', resource_type: 'tool' }, 'prompt')).toBe(false);
    expect(actsOn({ handling: 'decide' }, 'prompt')).toBe(true);
  });

  test("on nothing where it is the protocol's own", () => {
    expect(actsOn({ handling: 'allow' }, 'tool')).toBe(false);
    expect(actsOn({ handling: 'allow', resource_type: 'tool' }, 'tool')).toBe(false);
  });
});

test('a method without a word for what it does adds none to those of a type', () => {
  const methods: MethodTable = {
    look: { handling: 'decide', verb: 'read' },
    wordless: { handling: 'decide' },
    own: { handling: 'allow', verb: 'notify' },
  };
  expect(verbsOf(methods, 'tool')).toEqual(new Set(['read']));
});

test('of a method that is refused anyway a file may say so, and nothing else', () => {
  const methods: MethodTable = { wipe: { handling: 'refuse' } };
  expect(methodFault(methods, 'wipe', 'deny')).toBeUndefined();
  expect(methodFault(methods, 'wipe', 'evaluate')).toBe('for this method it must be one of `deny`');
});
