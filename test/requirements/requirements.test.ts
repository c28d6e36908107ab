import { describe, expect, test } from '@jest/globals';
import { citationsOf, readManifest, scanTests } from '../../scripts/requirement_scan.ts';

const manifest = readManifest();

describe('manifest', () => {
  test('each requirement has one id, a text and a known source', () => {
    const ids = manifest.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const faulty = manifest.filter(
      ({ id, text, source }) =>
        !/^[A-Z]-\d{2}$/.test(id) ||
        text.trim() === '' ||
        !['CARD', 'SEP', 'DISC', 'ZM', 'OURS'].includes(source),
    );
    expect(faulty).toEqual([]);
  });

  test('ids of a letter are counted without a gap, so that none was lost', () => {
    const letters = Object.entries(Object.groupBy(manifest, ({ id }) => id.slice(0, 1)));
    expect(letters.map(([letter]) => letter)).toEqual(['C', 'E', 'D', 'Z', 'X', 'O']);
    for (const [letter, rows = []] of letters) {
      const counted = rows.map((_row, index) => `${letter}-${String(index + 1).padStart(2, '0')}`);
      expect(rows.map(({ id }) => id)).toEqual(counted);
    }
  });
});

describe('citations', () => {
  test('every id that a test cites is in the manifest', () => {
    const known = new Set(manifest.map(({ id }) => id));
    expect(scanTests().filter(({ id }) => !known.has(id))).toEqual([]);
  });

  test('are read from names of tests only', () => {
    const id = (letter: string): string => `[${letter}-01]`;
    const text = `
      // ${id('A')} in a comment
      const note = '${id('B')} in a text';
      test('${id('C')} of a test', () => {});
      describe.each([1])('${id('D')} of a group %s', () => {});
      it.each\`a\`(\`${id('E')} of a template \${note}\`, () => {});
      test('[F-01, F-02] of two', () => {});
      expect('${id('G')}').toBe('');
    `;
    const found = citationsOf('test/a.test.ts', text);
    expect(found.map((citation) => citation.id)).toEqual(['C-01', 'D-01', 'E-01', 'F-01', 'F-02']);
    expect(found[0]).toEqual({ id: 'C-01', path: 'test/a.test.ts', title: `${id('C')} of a test` });
  });
});
