/** Which arguments a server gets to see. */
import { describe, expect, test } from '@jest/globals';
import { projectInput, projectionOf } from '../../../src/decision/foreign/project.ts';

describe('what the settings name', () => {
  test('is kept by its thing, each pointer once', () => {
    const entries = ['tool:b/x /b', '*', 'tool:a/x /c', 'tool:b/x /a', 'tool:b/x /b'];
    expect(projectionOf(entries).pointers).toEqual({
      'tool:b/x': ['/a', '/b'],
      '*': [''],
      'tool:a/x': ['/c'],
    });
  });

  test('has one digest in whatever order it is written', () => {
    const entries = ['tool:b/x /b', '*', 'tool:a/x /c', 'tool:b/x /a'];
    const { digest } = projectionOf(entries);
    expect(digest).toMatch(/^sha256:/);
    expect(projectionOf(entries.toReversed()).digest).toBe(digest);
    expect(projectionOf(entries.slice(1)).digest).not.toBe(digest);
  });
});

describe('an input', () => {
  const asked = (context: object) => ({
    subject: { id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'x', properties: { server: 'a' } },
    context,
  });

  test('without arguments stays as it is', () => {
    const input = asked({ phase: 'call' });
    expect(projectInput(input, projectionOf(['*']))).toStrictEqual(asked({ phase: 'call' }));
  });

  test('keeps the arguments that are named for its thing, and everything else', () => {
    const input = asked({ phase: 'call', arguments: { c: 1, d: 'canary' } });
    const named = projectionOf(['tool:a/x /c', 'tool:a/y /d', 'tool:b/x /d']);
    expect(projectInput(input, named)).toEqual(asked({ phase: 'call', arguments: { c: 1 } }));
  });

  test('of nothing in particular keeps only what is named for everything', () => {
    const { resource: _, ...input } = asked({ arguments: { c: 1 } });
    expect(projectInput(input, projectionOf(['tool:a/x /c'])).context).toEqual({ arguments: {} });
    const all = projectInput(input, projectionOf(['*']));
    expect(all.context).toEqual({ arguments: { c: 1 } });
  });
});
