import { describe, expect, test } from '@jest/globals';
import { expandTemplate, templateMatches } from '../../src/pep/uri_template.ts';

describe('an address may come from a template', () => {
  test.each([
    ['file:///a', 'file:///a'],
    ['a{x}', 'a'],
    ['a{x}', 'a1'],
    ['{x}b', '1b'],
    ['a{x}b', 'ab'],
    ['a{x}b', 'a1b'],
    ['a{x}/{y}', 'a/'],
    ['a{x}/{y}/c', 'a1/2/c'],
    ['a{x}bc{y}bc', 'abcbc'],
    ['a{/path*}{?q,r}', 'a/b/c?q=1'],
  ])('%s makes %s', (template, uri) => {
    expect(templateMatches(template, uri)).toBe(true);
  });

  test.each([
    ['file:///a', 'file:///ab'],
    ['file:///a', 'file:///b'],
    ['file:///a', ''],
    ['ab{x}', 'zzzz'],
    ['a{x}', ''],
    ['a{x}b', 'a1c'],
    ['a{x}/{y}', 'a1'],
    ['a{x}/{y}', '/a'],
    ['aa{x}aa', 'aaa'],
    ['a{x}a', 'a'],
    ['a{x}b{y}b', 'ab'],
  ])('%s does not make %s', (template, uri) => {
    expect(templateMatches(template, uri)).toBe(false);
  });
});

describe('a template makes an address', () => {
  test.each<[string, Record<string, unknown>, string]>([
    ['file:///a', {}, 'file:///a'],
    ['{x}/{y}', { x: '1', y: '', z: 7 }, '1/'],
    ['{x}/{x}', { x: 'a/b é' }, 'a%2Fb%20%C3%A9/a%2Fb%20%C3%A9'],
    ['{box}', { box: '1', b: '2', x: '3' }, '1'],
    ['{+x}', { x: 'a/b é' }, 'a/b%20%C3%A9'],
  ])('%s with %j: %s', (template, variables, uri) => {
    expect(expandTemplate(template, variables)).toBe(uri);
  });

  test.each<[string, Record<string, unknown>]>([
    ['{x}', {}],
    ['{x}/{y}', { y: '1' }],
    ['{y}/{x}', { y: '1' }],
    ['{x}', { x: 7 }],
    ['{x}', { x: null }],
    ['{x}', { x: '\ud800' }],
    ['{toString}', {}],
  ])('%s does not with %j, which lacks a text', (template, variables) => {
    expect(expandTemplate(template, variables)).toBeUndefined();
  });

  test.each(['{?x}', '{x*}', '{x,y}', '{#x}', '{++x}', '{}', '{ x}'])(
    '%s is more than a variable, whatever the variables are called',
    (template) => {
      const variables = { x: '1', y: '2', '': '3', undefined: '4' };
      expect(expandTemplate(template, variables)).toBeUndefined();
    },
  );
});
