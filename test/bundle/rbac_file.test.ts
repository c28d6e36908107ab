/** The file of roles: read strictly, trusted for its place, and kept in force. */
import { chmodSync, lchownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { RBAC_FILES, type RbacFile } from '../../src/bundle/rbac_file.ts';
import { openSource, type BundleSource, type SourceSettings } from '../../src/bundle/source.ts';
import { PortcullisError } from '../../src/errors.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { recordingLogger, temporaryDirectory, type LoggedLine } from '../support/evidence_log.ts';

interface Held extends RbacFile {
  close(): void;
}

const opened: BundleSource<Held, RbacFile>[] = [];
const { geteuid } = process;
afterEach(async () => {
  Object.assign(process, { geteuid });
  await Promise.all(opened.splice(0).map((source) => source.close()));
});

class Scene {
  readonly folder = temporaryDirectory();
  readonly file = join(this.folder, 'roles.yaml');
  readonly lines: LoggedLine[] = [];
  now_ms = 1_000_000;
  source!: BundleSource<Held, RbacFile>;

  constructor(text: string | Uint8Array = 'roles: {}\n') {
    writeFileSync(this.file, text);
  }

  async open(changes: Partial<SourceSettings> = {}): Promise<this> {
    const settings = { ...DEFAULTS.policy, reload_interval_ms: 3_600_000, ...changes };
    this.source = await openSource({
      settings: { ...settings, bundle: this.file, data: null },
      reader: RBAC_FILES,
      clock: { now_ms: () => this.now_ms },
      log: recordingLogger(this.lines),
      activate: async (file) => ({ ...file, close() {} }),
    });
    opened.push(this.source);
    return this;
  }

  async settle(): Promise<void> {
    await this.source.check();
    await this.source.check();
  }

  problems(): unknown[] {
    return this.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields?.problem);
  }
}

async function refusalOf(scene: Scene): Promise<string> {
  try {
    await scene.open();
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return `${error.code} ${error.message.replaceAll(`\`${scene.file}\``, 'FILE')}`;
  }
  return 'taken';
}

/** Each line doubles what the one before it holds. */
const BOMB = [
  'a0: &a0 [x]',
  ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
].join('\n');

describe('what is not plainly YAML of values that JSON has is refused', () => {
  test.each<[title: string, text: string | Uint8Array, why: string]>([
    [
      'a name twice',
      'roles: {}\nroles: {}\n',
      'not strict YAML, duplicate key in line 2, column 1',
    ],
    [
      'a name twice inside',
      'roles:\n  a: {grants: [], grants: []}\n',
      'not strict YAML, duplicate key in line 2, column 19',
    ],
    [
      'a tag',
      'roles: {}\nx: !!binary AA==\n',
      'not strict YAML, tag resolve failed in line 2, column 4',
    ],
    ['an own tag', 'roles: !roles {}\n', 'not strict YAML, tag resolve failed in line 1, column 8'],
    ['an alias bomb', BOMB, 'an alias leads nowhere, or there are too many'],
    ['an alias to nowhere', 'roles: *a\n', 'an alias leads nowhere, or there are too many'],
    [
      'a second document',
      'roles: {}\n---\nroles: {}\n',
      'not strict YAML, multiple docs in line 2, column 1',
    ],
    ['an open list', 'roles: [\n', 'not strict YAML, bad indent in line 2, column 1'],
    ['a tab', 'roles:\n\ta: 1\n', 'not strict YAML, tab as indent in line 2, column 1'],
    ['a name that is no text', 'roles: {}\n1: x\n', 'a name is not a string in line 2, column 1'],
    [
      'a name that is a list',
      'roles: {}\n? [a]\n: x\n',
      'a name is not a string in line 2, column 3',
    ],
    [
      'a forbidden name',
      'roles: {}\n__proto__: {}\n',
      'a name is not a string in line 2, column 1',
    ],
    ['a number beyond a double', 'roles: .inf\n', 'a number is out of range in line 1, column 8'],
    ['bytes that are no UTF-8', Buffer.from([0x72, 0xff, 0xfe]), 'it is not UTF-8'],
    ['deep nesting', `roles: ${'['.repeat(70)}${']'.repeat(70)}\n`, 'it is nested too deeply'],
    [
      'nesting without end',
      `roles: ${'['.repeat(10_000)}`,
      'not strict YAML, resource exhaustion in line 1, column 800',
    ],
  ])('%s', async (_title, text, why) => {
    expect(await refusalOf(new Scene(text))).toBe(`RBAC_INVALID FILE cannot be read: ${why}`);
  });

  test('a text that JSON cannot hold', async () => {
    expect(await refusalOf(new Scene('roles: "\\ud800"\n'))).toMatch(
      /^RBAC_INVALID FILE cannot be read: /,
    );
  });

  test('what the file says is quoted nowhere', async () => {
    const refusal = await refusalOf(new Scene('password: hunter2\npassword: hunter2\n'));
    expect(refusal).not.toContain('hunter2');
  });
});

describe('a file', () => {
  test('of as many bytes as are taken, and one more', async () => {
    const text = 'roles: {}\n#'.padEnd(1_048_576, 'x');
    expect(await refusalOf(new Scene(text))).toBe('taken');
    expect(await refusalOf(new Scene(`${text}x`))).toBe(
      'RBAC_INVALID FILE is larger than 1048576 bytes',
    );
  });

  test('that is not there, or none, is refused at once', async () => {
    const absent = new Scene();
    rmSync(absent.file);
    expect(await refusalOf(absent)).toBe(
      'RBAC_INVALID cannot read FILE: there is no such file or folder',
    );
    const folder = new Scene();
    rmSync(folder.file);
    mkdirSync(folder.file);
    expect(await refusalOf(folder)).toBe('RBAC_INVALID FILE is no file');
    const pipe = new Scene();
    rmSync(pipe.file);
    execFileSync('mkfifo', [pipe.file]);
    expect(await refusalOf(pipe)).toBe('RBAC_INVALID FILE is no file');
  });

  test('is known by the digest of its bytes', async () => {
    const { source } = await new Scene('roles: {}\n').open();
    const { identity } = source.current();
    const { source: other } = await new Scene('roles: {} \n').open();
    expect(identity.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(identity.revision).toBe(identity.digest.slice(7, 19));
    expect(other.current().identity.digest).not.toBe(identity.digest);
  });
});

describe('[E-24] a file of roles is trusted for its place', () => {
  const untrusted = /^POLICY_UNTRUSTED the file of roles is not to be trusted: /;

  test.each([
    ['itself', 'roles.yaml'],
    ['its folder', '.'],
  ])('%s', async (_title, place) => {
    const scene = new Scene();
    const path = join(scene.folder, place);
    for (const mode of [0o775, 0o757]) {
      chmodSync(path, mode);
      expect(await refusalOf(scene)).toMatch(untrusted);
    }
    chmodSync(path, 0o755);
    if (process.geteuid?.() === 0) lchownSync(path, 65_534, 65_534);
    else Object.assign(process, { geteuid: () => 65_534 });
    expect(await refusalOf(scene)).toMatch(untrusted);
  });

  test('another one in its place that somebody else owns leaves the one before it', async () => {
    const scene = await new Scene('roles: {a: {grants: []}}\n').open();
    await scene.settle();
    const { digest } = scene.source.current().identity;
    const other = join(scene.folder, 'other.yaml');
    writeFileSync(other, 'roles: {b: {grants: []}}\n');
    if (process.geteuid?.() === 0) lchownSync(other, 65_534, 65_534);
    else chmodSync(other, 0o666);
    renameSync(other, scene.file);
    await scene.settle();
    await scene.settle();
    expect(scene.source.current().identity.digest).toBe(digest);
    expect(scene.problems()).toEqual([expect.stringMatching(/is not to be trusted: /)]);
  });
});

describe('a change', () => {
  const start = async (changes = {}): Promise<Scene> => {
    const scene = await new Scene('roles: {a: {grants: []}}\n').open(changes);
    await scene.settle();
    return scene;
  };
  const roles = (scene: Scene): unknown => scene.source.current().value;

  test('is in force when the file has settled, and is told', async () => {
    const scene = await start();
    let told = 0;
    scene.source.watch(() => {
      told += 1;
    });
    writeFileSync(scene.file, 'roles: {b: {grants: []}}\n');
    await scene.source.check();
    expect(roles(scene)).toEqual({ roles: { a: { grants: [] } } });
    await scene.source.check();
    expect([roles(scene), told]).toEqual([{ roles: { b: { grants: [] } } }, 1]);
  });

  test('that is malformed leaves the last good one, until that is too old', async () => {
    const scene = await start({ age_seconds_max: 60 });
    writeFileSync(scene.file, 'roles: {b: {grants: []}}\nroles: {}\n');
    await scene.settle();
    expect(roles(scene)).toEqual({ roles: { a: { grants: [] } } });
    expect(scene.problems()).toEqual([
      expect.stringContaining('not strict YAML, duplicate key in line 2, column 1'),
    ]);
    scene.now_ms += 60_000;
    expect(roles(scene)).toEqual({ roles: { a: { grants: [] } } });
    scene.now_ms += 1;
    expect(() => roles(scene)).toThrow(
      expect.objectContaining({
        code: 'POLICY_ABSENT',
        message: expect.stringContaining('duplicate key'),
      }),
    );
    writeFileSync(scene.file, 'roles: {}\n');
    await scene.settle();
    expect(roles(scene)).toEqual({ roles: {} });
  });

  test('a file that is gone leaves the last good one, until that is too old', async () => {
    const scene = await start({ age_seconds_max: 60 });
    rmSync(scene.file);
    await scene.settle();
    expect(roles(scene)).toEqual({ roles: { a: { grants: [] } } });
    scene.now_ms += 60_001;
    expect(() => roles(scene)).toThrow(expect.objectContaining({ code: 'POLICY_ABSENT' }));
  });
});
