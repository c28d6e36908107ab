import { describe, expect, test } from '@jest/globals';
import { projectArguments } from '../../src/contract/projection.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const values = {
  amount: 5,
  to: { iban: 'DE1', bank: { bic: 'X' } },
  items: [{ price: 1, secret: 2 }],
  '*': 'a name',
  password: 'hunter2',
};

const transfer = { type: 'tool', id: 'transfer' } as const;

function project(pointers: Record<string, string[]>) {
  return projectArguments({ digest, pointers }, 'payments', transfer, values);
}

describe('projectArguments', () => {
  test('sends nothing without a projection, or with one for others', () => {
    expect(projectArguments(undefined, 'payments', transfer, values)).toEqual({});
    expect(project({})).toEqual({});
    expect(project({ 'tool:payments/other': ['/amount'], 'tool:other/*': [''] })).toEqual({});
    expect(project({ constructor: [''] })).toEqual({});
  });

  test('takes what is no object as it is, and looks into nothing', () => {
    const given = { to: null, items: [1], amount: 5 };
    const pointers = { '*': ['/to/iban', '/items/0/price', '/amount/value'] };
    expect(projectArguments({ digest, pointers }, 'payments', transfer, given)).toEqual(given);
  });

  test('knows a thing by its type as well', () => {
    const pointers = { 'tool:payments/transfer': ['/amount'], 'prompt:payments/*': ['/to/iban'] };
    const prompt = { type: 'prompt', id: 'transfer' } as const;
    expect(projectArguments({ digest, pointers }, 'payments', prompt, values)).toEqual({
      to: { iban: 'DE1' },
    });
  });

  test('joins the pointers of the tool, its server and all', () => {
    expect(
      project({
        'tool:payments/transfer': ['/amount'],
        'tool:payments/*': ['/to/iban'],
        '*': ['/absent', '/to/bank/bic'],
      }),
    ).toEqual({ amount: 5, to: { iban: 'DE1', bank: { bic: 'X' } } });
  });

  test('the empty pointer is all of them', () => {
    expect(project({ '*': [''] })).toBe(values);
  });

  test('a whole and a part of it are the whole, in either order', () => {
    expect(project({ '*': ['/to/iban', '/to'] })).toEqual({ to: values.to });
    expect(project({ '*': ['/to', '/to/iban'] })).toEqual({ to: values.to });
  });

  test('of what nobody may change, too', () => {
    const frozen = Object.freeze({ to: Object.freeze({ iban: 'DE1' }) });
    const projected = (pointers: string[]) =>
      projectArguments({ digest, pointers: { '*': pointers } }, 'payments', transfer, frozen);
    expect(projected(['/to', '/to/iban'])).toEqual({ to: { iban: 'DE1' } });
    expect(projected(['/to/iban', '/to'])).toEqual({ to: { iban: 'DE1' } });
  });

  test('an array goes whole, since its length and positions mean something', () => {
    expect(project({ '*': ['/items/0/price'] })).toEqual({ items: values.items });
  });

  test('a star is a name where there is one, else any member', () => {
    expect(project({ '*': ['/*'] })).toEqual({ '*': 'a name' });
    expect(project({ '*': ['/to/*'] })).toEqual({ to: values.to });
  });

  test('what is no pointer names nothing', () => {
    expect(project({ '*': ['amount', '/to/~2'] })).toEqual({});
  });
});
