/** What masks do to one event; OPA's own decision log does the same (mask_opa.test.ts). */

export const EVENT = {
  input: {
    subject: { id: 'user:alice', groups: ['a', 'b', 'c'] },
    context: { arguments: { iban: 'NL91', to: { name: 'Bob', city: 'Bern' } }, note: null },
    list: [{ id: 1 }, { id: 2 }, [7, 8, 9]],
  },
  result: { decision: 'allow', rules: ['r/one', 'r/two'] },
};

export interface MaskCase {
  title: string;
  /** Elements of the set `data.system.log.mask`. */
  mask: unknown[];
}

export const MASK_CASES: readonly MaskCase[] = [
  { title: 'nothing', mask: [] },
  { title: 'a member', mask: ['/input/context/arguments/iban'] },
  { title: 'two members', mask: ['/input/subject/id', '/input/context/arguments/to/city'] },
  { title: 'an object', mask: ['/input/context/arguments'] },
  { title: 'the whole input', mask: ['/input'] },
  { title: 'what is not there', mask: ['/input/subject/name', '/input/nothing/at/all'] },
  { title: 'below a text', mask: ['/input/subject/id/part'] },
  { title: 'below null', mask: ['/input/context/note/part'] },
  { title: 'an item of a list', mask: ['/input/subject/groups/1'] },
  {
    title: 'two items, of which the second moved',
    mask: ['/input/subject/groups/0', '/input/subject/groups/1'],
  },
  { title: 'an item that is not there', mask: ['/input/subject/groups/3'] },
  { title: 'an item by a name', mask: ['/input/subject/groups/b'] },
  { title: 'a member of an item', mask: ['/input/list/1/id'] },
  { title: 'an item of an item', mask: ['/input/list/2/0'] },
  { title: 'a rule of the result', mask: ['/result/rules/0'] },
  { title: 'the rules of the result', mask: ['/result/rules'] },
  {
    title: 'an operation that removes',
    mask: [{ op: 'remove', path: '/input/context/arguments/iban' }],
  },
  {
    title: 'another value',
    mask: [{ op: 'upsert', path: '/input/context/arguments/iban', value: '***' }],
  },
  {
    title: 'a value that is an object',
    mask: [{ op: 'upsert', path: '/input/subject/id', value: { hidden: true } }],
  },
  { title: 'no value', mask: [{ op: 'upsert', path: '/input/subject/id' }] },
  { title: 'a new member', mask: [{ op: 'upsert', path: '/input/context/a/b/c', value: 1 }] },
  {
    title: 'another value below a text',
    mask: [{ op: 'upsert', path: '/input/subject/id/part', value: 1 }],
  },
  {
    title: 'another value below null',
    mask: [{ op: 'upsert', path: '/input/context/note/part', value: 1 }],
  },
  { title: 'another item', mask: [{ op: 'upsert', path: '/input/subject/groups/2', value: 'x' }] },
  {
    title: 'another item that is not there',
    mask: [{ op: 'upsert', path: '/input/subject/groups/3', value: 'x' }],
  },
  {
    title: 'another member of an item',
    mask: [{ op: 'upsert', path: '/input/list/0/id', value: 'x' }],
  },
  { title: 'another input', mask: [{ op: 'upsert', path: '/input', value: { masked: true } }] },
  { title: 'another rule', mask: [{ op: 'upsert', path: '/result/rules/0', value: 'r/x' }] },
  {
    title: 'removed, then put',
    mask: [{ op: 'upsert', path: '/input/subject/id', value: 'x' }, '/input/subject/id'],
  },
  {
    title: 'the same path twice',
    mask: ['/input/subject/id', { op: 'remove', path: '/input/subject/id' }],
  },
  {
    title: 'an object removed, and a member put in its place',
    mask: [
      { op: 'upsert', path: '/input/context/arguments/iban', value: '***' },
      '/input/context/arguments',
    ],
  },
];
