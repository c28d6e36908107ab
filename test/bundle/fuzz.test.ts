/** Bundles whose bytes were changed anywhere: the reader refuses them, or reads what is there. */
import { posix } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { layPolicyData, readBundle, type PolicyBundle } from '../../src/bundle/bundle.ts';
import { unpack, writeBundle } from '../../src/bundle/files.ts';
import { PortcullisError } from '../../src/errors.ts';
import { paxRecord, tarOf, type Entry } from '../support/archives.ts';
import { changed, changesOf, fuzzing, fuzzTimeout } from '../support/fuzz.ts';

const LIMITS = { archive_bytes_max: 65_536, unpacked_bytes_max: 65_536, files_max: 16 };
const BLOCK = 512;

const MANIFEST = {
  revision: 'r1',
  roots: ['limits', 'people'],
  wasm: [{ entrypoint: 'authz/allow', module: '/policy.wasm' }],
  metadata: { portcullis: { schema_version: 1, entrypoint: 'authz/allow' } },
};
const FILES = new Map(
  Object.entries({
    '.manifest': JSON.stringify(MANIFEST),
    'data.json': '{"limits":{"ann":5,"bob":[1,2,{"a":null}]}}',
    'people/data.yaml': 'ann: {roles: [editor]}\nbob: &b {roles: []}\n',
    'policy.wasm': '\0asm\x01\0\0\0'.repeat(20),
  }).map(([path, text]) => [path, Buffer.from(text)]),
);
const ORIGINAL = writeBundle(FILES);
const TAR = gunzipSync(ORIGINAL);

function read(archive: Uint8Array): PolicyBundle {
  return layPolicyData(readBundle(unpack(archive, LIMITS)));
}

/** The code that the archive is refused with; anything but a refusal of ours is thrown on. */
function outcomeOf(archive: Uint8Array, check: (bundle: PolicyBundle) => void): string {
  let bundle: PolicyBundle;
  try {
    bundle = read(archive);
  } catch (error) {
    if (error instanceof PortcullisError) return error.code;
    throw error;
  }
  check(bundle);
  return 'taken';
}

const REFUSED = ['BUNDLE_INVALID', 'DATA_INVALID'];

const JSON_TOKENS = ['{', '}', '[', ']', ',', ':', '"', '\\', '1e999', '\\ud800', '"__proto__":1,'];

/** The bundle with other bytes in the place of one of its files. */
function withFile(path: string, bytes: Uint8Array): Uint8Array {
  return writeBundle(new Map([...FILES, [path, Buffer.from(bytes)]]));
}

/** The files of a tar as a reader finds them that checks nothing; names without their slash. */
function readLeniently(tar: Buffer): [string, Uint8Array][] {
  const files: [string, Uint8Array][] = [];
  for (let at = 0; tar[at] !== 0;) {
    const field = (from: number, length: number) =>
      tar
        .subarray(at + from, at + from + length)
        .toString()
        .replace(/\0.*$/s, '');
    const size = Number.parseInt(field(124, 12), 8);
    const name = [field(345, 155), field(0, 100)].filter((part) => part !== '').join('/');
    const start = at + BLOCK;
    if (field(156, 1) !== '5')
      files.push([
        name.replace(/^\.?\//, ''),
        Buffer.concat([tar.subarray(start, start + size)], size),
      ]);
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

const odd = [
  'a',
  'a/b',
  '/a',
  './a',
  '../a',
  'a/../b',
  'a//b',
  'a/',
  '',
  '.',
  '..',
  'a\\b',
  'a\nb',
];
const pax = fc
  .constantFrom('a', '../../x', '/x', '__proto__/a')
  .map((path) => paxRecord('path', path));
const plainEntry: fc.Arbitrary<Entry> = fc.record({
  name: fc.constantFrom('a', '/a', './a', 'a/b', 'b', 'c'),
  bytes: fc.string({ maxLength: 600 }),
});
const oddEntry: fc.Arbitrary<Entry> = fc.record(
  {
    name: fc.constantFrom(...odd, '__proto__', 'x'.repeat(100), 'é', 'data.json', '//a'),
    type: fc.constantFrom('0', '0', '0', '\0', '5', 'x', 'x', 'g', 'L', '1', '2', '7', 'S'),
    bytes: fc.oneof(
      fc.string({ maxLength: 600 }),
      pax,
      pax.map((text) => text.slice(1)),
    ),
    size: fc.constantFrom(0, 1, 511, 512, 513, 8_589_934_591),
    prefix: fc.constantFrom('', '..', '/', 'p', '__proto__'),
  },
  { requiredKeys: ['name'] },
);

const entry = fc.oneof({ weight: 4, arbitrary: plainEntry }, { weight: 1, arbitrary: oddEntry });

function isFile({ type = '0' }: Entry): boolean {
  return type === '0' || type === '\0';
}

/** Whether a name stands for the same place for every reader. */
function isPlain(name: string): boolean {
  const isSame = posix.normalize(`/r/${name}`) === `/r/${name}`;
  return isSame && !/[\\\n]|__proto__|\/$|^$/.test(name);
}

describe('a bundle', () => {
  test('that is not changed is taken', () => {
    expect(read(ORIGINAL)).toMatchObject({
      identity: { revision: 'r1' },
      data: { limits: { ann: 5 }, people: { bob: { roles: [] } } },
      metadata: { entrypoint: 'authz/allow' },
    });
  });

  /** Runs a property over so many cases; each kind of outcome has to occur. */
  function assertOutcomes<T>(
    cases: fc.Arbitrary<T>,
    outcomeOfCase: (given: T) => string,
    possible: readonly string[],
  ): void {
    const seen = new Set<string>();
    const property = fc.property(cases, (given) => {
      const outcome = outcomeOfCase(given);
      seen.add(outcome);
      expect(possible).toContain(outcome);
    });
    fc.assert(property, fuzzing(3_000));
    expect([...seen].sort()).toEqual([...possible].sort());
  }

  test(
    'whose archive was changed is refused, or is the same bundle',
    () => {
      const original = read(ORIGINAL);
      assertOutcomes(
        changesOf('\x1f\x8b\x08', '\0', '\xff\xff', 'x'.repeat(512)),
        (changes) =>
          outcomeOf(changed(ORIGINAL, changes), (bundle) => expect(bundle).toEqual(original)),
        ['taken', 'BUNDLE_INVALID'],
      );
    },
    fuzzTimeout(60),
  );

  test(
    'whose tar was changed is refused, or holds what another reader finds in it',
    () => {
      const header = TAR.subarray(0, BLOCK).toString('latin1');
      const cut = fc.oneof(
        fc.constant(TAR.length / BLOCK + 8),
        fc.nat({ max: TAR.length / BLOCK }),
      );
      assertOutcomes(
        fc.tuple(changesOf('ustar', '../', '\0'.repeat(BLOCK), '7777777', header), cut),
        ([changes, blocks]) => {
          const tar = changed(TAR, changes).subarray(0, blocks * BLOCK);
          return outcomeOf(gzipSync(tar, { level: 1 }), () => {
            expect([...unpack(gzipSync(tar), LIMITS)]).toEqual(readLeniently(tar));
          });
        },
        ['taken', ...REFUSED],
      );
    },
    fuzzTimeout(60),
  );

  test(
    'with odd entries is refused, or all its names are plain paths',
    () => {
      assertOutcomes(
        fc.array(entry, { minLength: 1, maxLength: 5 }),
        (entries) => {
          let names: string[];
          try {
            names = [...unpack(gzipSync(tarOf(...entries), { level: 1 }), LIMITS).keys()];
          } catch (error) {
            if (error instanceof PortcullisError) return error.code;
            throw error;
          }
          for (const name of names) expect(isPlain(name)).toBe(true);
          if (entries.every(({ size }) => size === undefined)) {
            expect(names).toHaveLength(entries.filter(isFile).length);
          }
          return 'taken';
        },
        ['taken', 'BUNDLE_INVALID'],
      );
    },
    fuzzTimeout(60),
  );

  test(
    'whose manifest was changed is refused, or is what JSON.parse reads in it',
    () => {
      assertOutcomes(
        changesOf(...JSON_TOKENS, '"roots":[]', '"a/../b"', '"wasm":[]', '"portcullis"'),
        (changes) => {
          const text = changed(FILES.get('.manifest')!, changes);
          return outcomeOf(withFile('.manifest', text), (bundle) => {
            const { revision, metadata } = JSON.parse(text.toString()) as Partial<typeof MANIFEST>;
            expect(bundle.metadata).toEqual(metadata?.portcullis);
            if (revision) expect(bundle.identity.revision).toBe(revision);
          });
        },
        ['taken', 'BUNDLE_INVALID'],
      );
    },
    fuzzTimeout(60),
  );

  test(
    'whose data was changed is refused, or is what JSON.parse reads in it',
    () => {
      assertOutcomes(
        changesOf(...JSON_TOKENS, '"people":{}', '"mcp":{}'),
        (changes) => {
          const text = changed(FILES.get('data.json')!, changes);
          return outcomeOf(withFile('data.json', text), ({ data }) => {
            const { people: _, ...own } = data;
            expect(own).toEqual(JSON.parse(text.toString()));
          });
        },
        ['taken', ...REFUSED],
      );
    },
    fuzzTimeout(60),
  );

  test(
    'whose YAML was changed is refused, or holds plain data',
    () => {
      const yaml = [
        '&a ',
        '*a',
        '*b',
        '<<: *b',
        '!!js ',
        '---\n',
        '? ',
        '[',
        '}',
        '\t',
        ': ',
        '|\n',
      ];
      assertOutcomes(
        changesOf(...yaml, '__proto__: 1\n', '&a [*a]'),
        (changes) => {
          const text = changed(FILES.get('people/data.yaml')!, changes);
          return outcomeOf(withFile('people/data.yaml', text), ({ data }) => {
            expect(JSON.parse(JSON.stringify(data))).toEqual(data);
          });
        },
        ['taken', 'DATA_INVALID'],
      );
    },
    fuzzTimeout(60),
  );

  test('of many packed parts is refused where their sum is over the limit', () => {
    const part = gzipSync(tarOf({ name: 'a', bytes: Buffer.alloc(8_192) }));
    const archive = Buffer.concat(Array.from({ length: 16 }, () => part));
    expect(() => unpack(archive, LIMITS)).toThrow('unpacks to more than');
  });
});
