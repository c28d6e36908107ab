import { describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle, type PolicyBundle } from '../../src/bundle/bundle.ts';
import { digestOfFiles } from '../../src/bundle/files.ts';
import { PortcullisError } from '../../src/errors.ts';

/** Files of a bundle; values that are no text are written as JSON. */
function filesOf(files: Record<string, unknown>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(files).map(([path, value]) => [
      path,
      Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  );
}

function faultOf(run: () => unknown): object {
  try {
    run();
    return {};
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    const { code, message, pointer } = error;
    return { code, message, ...(pointer !== undefined && { pointer }) };
  }
}

const MODULE = { 'policy.wasm': 'module' };
const METADATA = { schema_version: 1, entrypoint: 'authz/allow' };

describe('reading the files of a bundle', () => {
  test('manifest, module and data at any folder, JSON and YAML', () => {
    const files = filesOf({
      ...MODULE,
      '.manifest': {
        revision: 'r7',
        roots: [''],
        rego_version: 1,
        wasm: [{ entrypoint: 'authz/allow', module: '/policy.wasm' }],
        metadata: { portcullis: METADATA, other: true },
      },
      'data.json': { a: { b: 1 } },
      'a/c/data.yaml': 'on: yes\nlist: [1, 2.5, "x"]\nnothing: ~\n',
      'authz.rego': 'package authz',
    });
    const bundle = readBundle(files);
    expect(bundle).toEqual({
      manifest: {
        revision: 'r7',
        roots: [''],
        wasm: [{ entrypoint: 'authz/allow', module: '/policy.wasm' }],
        portcullis: METADATA,
      },
      wasm: Buffer.from('module'),
      data: { a: { b: 1, c: { on: 'yes', list: [1, 2.5, 'x'], nothing: null } } },
      digest: digestOfFiles(files),
    });
  });

  test('a bundle may have no manifest and no data', () => {
    const { manifest, data } = readBundle(filesOf(MODULE));
    expect({ manifest, data }).toEqual({
      manifest: { revision: '', roots: [''], wasm: [] },
      data: {},
    });
  });

  test.each([
    ['that is cut off', '{"revision":', '.manifest cannot be read: it is not JSON'],
    [
      'with a doubled name',
      '{"revision":"a","revision":"b"}',
      '.manifest cannot be read: an object has a member twice',
    ],
    [
      'of a wrong type',
      { revision: 7 },
      '.manifest is wrong: at `/revision` it must be of type string',
    ],
    [
      'with a revision too long',
      { revision: 'r'.repeat(300) },
      '.manifest is wrong: at `/revision` it may have at most 256 characters',
    ],
    [
      'with a wasm entry that lacks its module',
      { wasm: [{ entrypoint: 'a' }] },
      '.manifest is wrong: at `/wasm/0/module` this member is missing',
    ],
    [
      'with metadata that is no object',
      { metadata: [] },
      '.manifest is wrong: at `/metadata` it must be of type object',
    ],
    [
      'with an unknown member of ours',
      { metadata: { portcullis: { ...METADATA, unsafe_alow_all: true } } },
      '.manifest is wrong: at `/metadata/portcullis/unsafe_alow_all` this member is not known',
    ],
    [
      'of a later version of ours',
      { metadata: { portcullis: { schema_version: 2 } } },
      '.manifest is wrong: at `/metadata/portcullis/schema_version` it must be `1`',
    ],
    [
      'with two modules',
      {
        wasm: [
          { entrypoint: 'a', module: '/policy.wasm' },
          { entrypoint: 'b', module: '/b.wasm' },
        ],
      },
      'the bundle spreads its entrypoints over several modules',
    ],
    [
      'that names another module',
      { wasm: [{ entrypoint: 'a', module: '/b.wasm' }] },
      'it is no bundle: it holds no `b.wasm`',
    ],
  ])('a manifest %s', (_title, manifest, message) => {
    const files = filesOf({ ...MODULE, '.manifest': manifest });
    expect(faultOf(() => readBundle(files))).toEqual({ code: 'BUNDLE_INVALID', message });
  });

  test('a bundle without a module', () => {
    expect(faultOf(() => readBundle(filesOf({ 'data.json': {} })))).toEqual({
      code: 'BUNDLE_INVALID',
      message: 'it is no bundle: it holds no `policy.wasm`',
    });
  });

  test.each([
    [['a/b', 'c'], { a: { b: { d: 1 } }, c: 1 }, true],
    [['a/b', 'c'], { a: {} }, true],
    [['a/b', 'c'], { a: { b: 1, e: 1 } }, false],
    [['a/b', 'c'], { a: 5 }, false],
    [['a'], { ab: 1 }, false],
    [[], { a: 1 }, false],
  ])('roots %j own %j: %j', (roots, data, isOwned) => {
    const files = filesOf({ ...MODULE, '.manifest': { roots }, 'data.json': data });
    expect(faultOf(() => readBundle(files))).toEqual(
      isOwned
        ? {}
        : {
            code: 'BUNDLE_INVALID',
            message: 'the bundle holds data outside the roots of its .manifest',
          },
    );
  });

  test.each([
    ['data.json', '{"a":', '`data.json` cannot be read: it is not JSON'],
    [
      'data.json',
      '{"a":{"b":1,"b":2}}',
      '`data.json` cannot be read: at `/a` an object has a member twice',
    ],
    [
      'data.json',
      '{"a":"\\ud800"}',
      '`data.json` cannot be read: at `/a` a text holds half of a surrogate pair',
    ],
    ['data.json', '[]', '`data.json` holds no object'],
    [
      'data.yaml',
      'a: [1,\n',
      '`data.yaml` cannot be read: not strict YAML, bad indent in line 2, column 1',
    ],
    [
      'data.yaml',
      'a: 1\nb: 2\na: 3\n',
      '`data.yaml` cannot be read: not strict YAML, duplicate key in line 3, column 1',
    ],
    [
      'data.yaml',
      'a: 1\n7: 2\n',
      '`data.yaml` cannot be read: a name is not a string in line 2, column 1',
    ],
    [
      'data.yaml',
      'a: 1\n__proto__: {}\n',
      '`data.yaml` cannot be read: a name is not a string in line 2, column 1',
    ],
    [
      'data.yaml',
      'a: .inf\n',
      '`data.yaml` cannot be read: a number is out of range in line 1, column 4',
    ],
    [
      'data.yaml',
      'a: 1\nb: !!set {x, y}\n',
      '`data.yaml` cannot be read: not strict YAML, tag resolve failed in line 2, column 4',
    ],
    [
      'data.yaml',
      'a: "\\ud800"\n',
      '`data.yaml` cannot be read: at `/a` a text holds half of a surrogate pair',
    ],
    [
      'data.yaml',
      'a: 1\n---\nb: 2\n',
      '`data.yaml` cannot be read: not strict YAML, multiple docs in line 2, column 1',
    ],
    ['data.yaml', '', '`data.yaml` holds no object'],
    ['data.yml', '- a\n', '`data.yml` holds no object'],
    [
      'data.yaml',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (name) => {
        const before = String.fromCharCode(name.charCodeAt(0) - 1);
        return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join()}]\n`;
      })}`,
      '`data.yaml` cannot be read: an alias leads nowhere, or there are too many',
    ],
  ])('%s with %j', (path, text, message) => {
    const files = filesOf({ ...MODULE, [path]: text });
    expect(faultOf(() => readBundle(files))).toMatchObject({ code: 'DATA_INVALID', message });
  });

  test('an alias or two are taken', () => {
    const files = filesOf({ ...MODULE, 'data.yaml': 'a: &x [1]\nb: *x\n"<<": 1\n' });
    expect(readBundle(files).data).toEqual({ a: [1], b: [1], '<<': 1 });
  });

  test('two files that speak of one member', () => {
    const files = filesOf({ ...MODULE, 'data.json': { a: { b: 1 } }, 'a/data.yaml': 'b: 1\n' });
    expect(faultOf(() => readBundle(files))).toEqual({
      code: 'DATA_INVALID',
      message: '`a/data.yaml` repeats a member: /a/b',
      pointer: '/a/b',
    });
  });

  test('a file that is not UTF-8', () => {
    const files = filesOf(MODULE).set('data.yaml', Uint8Array.of(0x61, 0xff));
    expect(faultOf(() => readBundle(files))).toMatchObject({
      message: '`data.yaml` cannot be read: it is not UTF-8',
    });
  });
});

describe('laying data over a bundle', () => {
  const bundle = readBundle(filesOf({ ...MODULE, 'data.json': { a: { x: 1, y: 2 }, b: 1 } }));

  test('a root replaces the root of its name, whole', () => {
    const { data } = layPolicyData(bundle, { a: { x: 3 }, c: 4 });
    expect(data).toEqual({ a: { x: 3 }, b: 1, c: 4 });
  });

  test.each(['mcp', 'portcullis'])('the root %s is reserved', (root) => {
    expect(faultOf(() => layPolicyData(bundle, { [root]: { rules: {} } }))).toEqual({
      code: 'DATA_INVALID',
      message: `the data root \`${root}\` is reserved: /${root}`,
      pointer: `/${root}`,
    });
  });

  test('the identity changes with the bundle and with the data, not with the order', () => {
    const identityOf = (overlay?: object): PolicyBundle['identity'] =>
      layPolicyData(bundle, overlay as Record<string, unknown>).identity;
    expect(identityOf()).toEqual({
      revision: bundle.digest.slice(7, 19),
      digest: bundle.digest,
    });
    expect(identityOf({ a: 1, b: 2 })).toEqual(identityOf({ b: 2, a: 1 }));
    expect(identityOf({ a: 1 }).digest).not.toBe(identityOf({ a: 2 }).digest);
    expect(identityOf({}).digest).not.toBe(bundle.digest);
  });

  test('a stated revision is kept', () => {
    const stated = readBundle(filesOf({ ...MODULE, '.manifest': { revision: '2026-11-21' } }));
    expect(layPolicyData(stated, { a: 1 }).identity.revision).toBe('2026-11-21');
  });
});
