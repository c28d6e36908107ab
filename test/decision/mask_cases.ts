/** What masks do to one event; OPA's own decision log does the same (mask_opa.test.ts). */

export const EVENT = {
  input: {
    subject: { id: 'user:alice', groups: ['a', 'b', 'c'] },
    context: { arguments: { iban: 'NL91', to: { name: 'Bob', city: 'Bern' } }, note: null },
    list: [{ id: 1 }, { id: 2 }, [7, 8, 9]],
  },
  result: { decision: 'allow', rules: ['r/one', 'r/two'] },
};

const { input, result } = EVENT;
const { subject, context, list } = input;
const { iban, to } = context.arguments;

interface Event {
  input?: unknown;
  result?: unknown;
}

/** The event with other members of its input. */
const having = (members: object): Event => ({ input: { ...input, ...members }, result });
const havingSubject = (members: object): Event => having({ subject: { ...subject, ...members } });
const havingArguments = (members: unknown): Event =>
  having({ context: { ...context, arguments: members } });
const havingRules = (...rules: string[]): Event => ({ input, result: { ...result, rules } });

const put = (path: string, value?: unknown): object => ({ op: 'upsert', path, value });
const IBAN = '/input/context/arguments/iban';

export interface MaskCase {
  title: string;
  /** Elements of the set `data.system.log.mask`. */
  mask: unknown[];
  /** What is left; absent where the mask changes nothing, and tells nothing. */
  left?: Event;
  /** The paths that are told, in any order. */
  erased?: string[];
  masked?: string[];
}

const REMOVED: readonly (MaskCase & { mask: string[] })[] = [
  { title: 'nothing', mask: [] },
  { title: 'a member', mask: [IBAN], left: havingArguments({ to }) },
  {
    title: 'two members',
    mask: ['/input/context/arguments/to/city', '/input/subject/id'],
    left: having({
      subject: { groups: subject.groups },
      context: { ...context, arguments: { iban, to: { name: 'Bob' } } },
    }),
  },
  {
    title: 'an object',
    mask: ['/input/context/arguments'],
    left: having({ context: { note: null } }),
  },
  { title: 'the whole input', mask: ['/input'], left: { result } },
  { title: 'what is not there', mask: ['/input/subject/name', '/input/nothing/at/all'] },
  { title: 'below a text', mask: ['/input/subject/id/part', '/input/subject/id/part/of/it'] },
  { title: 'a character of a text', mask: ['/input/subject/id/0'] },
  { title: 'below null', mask: ['/input/context/note/part', '/input/context/note/part/of/it'] },
  {
    title: 'an item of a list',
    mask: ['/input/subject/groups/1'],
    left: havingSubject({ groups: ['a', 'c'] }),
  },
  {
    title: 'two items, of which the second moved',
    mask: ['/input/subject/groups/0', '/input/subject/groups/1'],
    left: havingSubject({ groups: ['b'] }),
  },
  { title: 'an item that is not there', mask: ['/input/subject/groups/3'] },
  { title: 'an item by a name', mask: ['/input/subject/groups/b'] },
  { title: 'the length of a list', mask: ['/input/subject/groups/length'] },
  { title: 'below the length of a list', mask: ['/input/subject/groups/length/0'] },
  ...['01', '+1', '+001'].map((position) => ({
    title: `an item at ${position}`,
    mask: [`/input/subject/groups/${position}`],
    left: havingSubject({ groups: ['a', 'c'] }),
  })),
  ...['-0', '-00'].map((position) => ({
    title: `an item at ${position}`,
    mask: [`/input/subject/groups/${position}`],
    left: havingSubject({ groups: ['b', 'c'] }),
  })),
  ...['-1', '1.0', '1e0', '0x1', '1_0', '', '++1', 'x1', '1x', '-0x', '99999999999999999999'].map(
    (position) => ({
      title: `no item at "${position}"`,
      mask: [`/input/subject/groups/${position}`],
    }),
  ),
  {
    title: 'a member of an item',
    mask: ['/input/list/1/id'],
    left: having({ list: [{ id: 1 }, {}, list[2]] }),
  },
  {
    title: 'a member of an item at 01',
    mask: ['/input/list/01/id'],
    left: having({ list: [{ id: 1 }, {}, list[2]] }),
  },
  {
    title: 'an item of an item',
    mask: ['/input/list/2/0'],
    left: having({ list: [{ id: 1 }, { id: 2 }, [8, 9]] }),
  },
  { title: 'a rule of the result', mask: ['/result/rules/0'], left: havingRules('r/two') },
  {
    title: 'the rules of the result',
    mask: ['/result/rules'],
    left: { input, result: { decision: 'allow' } },
  },
];

/** Each path with the value that is put there. */
interface PutCase extends Omit<MaskCase, 'mask'> {
  puts: [path: string, value?: unknown][];
}

const PUT: readonly PutCase[] = [
  {
    title: 'another value',
    puts: [[IBAN, '***']],
    left: havingArguments({ iban: '***', to }),
  },
  {
    title: 'a value that is an object',
    puts: [['/input/subject/id', { hidden: true }]],
    left: havingSubject({ id: { hidden: true } }),
  },
  { title: 'no value', puts: [['/input/subject/id']], left: havingSubject({ id: null }) },
  {
    title: 'a new member',
    puts: [['/input/context/a/b/c', 1]],
    left: having({ context: { ...context, a: { b: { c: 1 } } } }),
  },
  {
    title: 'another value below a text',
    puts: [
      ['/input/subject/id/part', 1],
      ['/input/subject/id/part/of/it', 1],
    ],
  },
  {
    title: 'another value below null',
    puts: [
      ['/input/context/note/part', 1],
      ['/input/context/note/part/of/it', 1],
    ],
  },
  {
    title: 'another item',
    puts: [['/input/subject/groups/2', 'x']],
    left: havingSubject({ groups: ['a', 'b', 'x'] }),
  },
  {
    title: 'another item at 01',
    puts: [['/input/subject/groups/01', 'x']],
    left: havingSubject({ groups: ['a', 'x', 'c'] }),
  },
  {
    title: 'another item that is not there',
    puts: [['/input/subject/groups/3', 'x']],
  },
  { title: 'another member of an item that is not there', puts: [['/input/list/3/id', 'x']] },
  { title: 'another length of a list', puts: [['/input/subject/groups/length', 1]] },
  {
    title: 'a member called length',
    puts: [['/input/subject/length', 1]],
    left: havingSubject({ length: 1 }),
  },
  {
    title: 'another member of an item',
    puts: [['/input/list/0/id', 'x']],
    left: having({ list: [{ id: 'x' }, { id: 2 }, list[2]] }),
  },
  {
    title: 'another input',
    puts: [['/input', { masked: true }]],
    left: { input: { masked: true }, result },
  },
  { title: 'another rule', puts: [['/result/rules/0', 'r/x']], left: havingRules('r/x', 'r/two') },
  {
    title: 'members of an input that became a text',
    puts: [['/input'], ['/input/subject', 1]],
    left: { input: null, result },
    masked: ['/input'],
  },
  {
    title: 'an item of an input that became a list',
    puts: [
      ['/input', ['a']],
      ['/input/0', 1],
    ],
    left: { input: [1], result },
  },
];

const MIXED: readonly MaskCase[] = [
  {
    title: 'an operation that removes',
    mask: [{ op: 'remove', path: IBAN }],
    left: havingArguments({ to }),
    erased: [IBAN],
  },
  {
    title: 'removed, then put',
    mask: [put('/input/subject/id', 'x'), '/input/subject/id'],
    left: havingSubject({ id: 'x' }),
    erased: ['/input/subject/id'],
    masked: ['/input/subject/id'],
  },
  {
    title: 'the same path twice',
    mask: ['/input/subject/id', { op: 'remove', path: '/input/subject/id' }],
    left: having({ subject: { groups: subject.groups } }),
    erased: ['/input/subject/id'],
  },
  {
    title: 'an object removed, and a member put in its place',
    mask: [put(IBAN, '***'), '/input/context/arguments'],
    left: havingArguments({ iban: '***' }),
    erased: ['/input/context/arguments'],
    masked: [IBAN],
  },
  {
    title: 'an item removed, and another put in the place that is left',
    mask: [
      put('/input/subject/groups/1'),
      { op: 'remove', path: '/input/subject/groups/0', value: 1 },
    ],
    left: havingSubject({ groups: ['b', null] }),
    erased: ['/input/subject/groups/0'],
    masked: ['/input/subject/groups/1'],
  },
  {
    title: 'no value, and then one',
    mask: [put('/input/subject/id', 'x'), put('/input/subject/id')],
    left: havingSubject({ id: 'x' }),
    masked: ['/input/subject/id'],
  },
  {
    title: 'what is part of what was removed',
    mask: ['/input', put('/input', {}), put('/input/subject', 1)],
    left: { result },
    erased: ['/input'],
  },
];

export const MASK_CASES: readonly MaskCase[] = [
  ...REMOVED.map((each) => ({ erased: each.left ? each.mask : [], ...each })),
  ...PUT.map(({ puts, ...each }) => ({
    mask: puts.map(([path, value]) => put(path, value)),
    masked: each.left ? puts.map(([path]) => path) : [],
    ...each,
  })),
  ...MIXED,
];
