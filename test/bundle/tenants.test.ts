import { chmodSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { folderNameOf, tenantOf } from '../../src/bundle/tenant_folder.ts';
import { bundleOf } from '../support/bundle_scene.ts';
import { TenantScene } from '../support/tenant_scene.ts';

const scene = async (): Promise<TenantScene> => {
  const made = new TenantScene();
  made.put('acme', { v: 'a' });
  made.put('globex', { v: 'g' });
  return made.open();
};

describe('the name of a folder', () => {
  test.each([
    ['acme', 'acme'],
    ['acme-1_2~3.b', 'acme-1_2~3.b'],
    ['a%2Fb', 'a/b'],
    ['%2E%2E', undefined],
    ['%2E.', '..'],
    ['%2Ehidden', '.hidden'],
    ['caf%C3%A9', 'café'],
    ['%F0%9F%98%80', '😀'],
    ['a%20b', 'a b'],
    ['a%25b', 'a%b'],
    ['%28x%29', '(x)'],
    ['a%2fb', undefined],
    ['%61cme', undefined],
    ['a b', undefined],
    ['café', undefined],
    ['(x)', undefined],
    ['100%', undefined],
    ['%FF', undefined],
    ['%C0%AF', undefined],
    ['%00', undefined],
    ['a%0Ab', undefined],
    ['.hidden', undefined],
    ['x'.repeat(256), 'x'.repeat(256)],
    ['x'.repeat(257), undefined],
  ])('%j stands for %j', (name, tenant) => {
    expect(tenantOf(name)).toBe(tenant);
    if (tenant !== undefined) expect(folderNameOf(tenant)).toBe(name);
  });

  test('of a tenant that has one is the only one', () => {
    const composed = ['\u00e9', 'e\u0301'];
    const tenants = ['.', '..', 'a/b', '\\', '*', "'", '!', '~', '%41', 'A', ...composed];
    const names = tenants.map(folderNameOf);
    expect(names.map(tenantOf)).toEqual(tenants);
    expect(new Set(names).size).toBe(tenants.length);
  });
});

describe('the policies of tenants', () => {
  test('are each their own, and nobody else has one', async () => {
    const { tenants, inForce } = bound(await scene());
    expect(tenants.per_tenant).toBe(true);
    expect(['acme', 'globex', 'initech', '', '../acme', 'ACME', undefined].map(inForce)).toEqual([
      { v: 'a' },
      { v: 'g' },
      ...Array.from({ length: 5 }, () => 'POLICY_ABSENT'),
    ]);
  });

  test('are bundles or folders, with data as a file or a folder', async () => {
    const made = new TenantScene();
    for (const name of ['one', 'two']) {
      mkdirSync(join(made.make(name), 'bundle'), { mode: 0o755 });
      made.write(`${name}/bundle/policy.wasm`, 'module');
      made.write(`${name}/bundle/data.json`, '{"v":1}');
    }
    made.write('one/data.yaml', 'w: 1\n');
    mkdirSync(join(made.folder, 'two', 'data'), { mode: 0o755 });
    made.write('two/data/data.yaml', 'w: 2\n');
    await made.open();
    expect([made.inForce('one'), made.inForce('two')]).toEqual([
      { v: 1, w: 1 },
      { v: 1, w: 2 },
    ]);
  });

  test.each<[string, (made: TenantScene) => void, string]>([
    ['is empty', (made) => made.make('bad'), 'holds no bundle.tar.gz and no bundle'],
    [
      'holds a bundle twice',
      (made) => {
        made.put('bad', { v: 1 });
        mkdirSync(join(made.folder, 'bad/bundle'), { mode: 0o755 });
      },
      'holds both bundle.tar.gz and bundle',
    ],
    [
      'holds data under a name that is not read',
      (made) => {
        made.put('bad', { v: 1 });
        made.write('bad/data.yml', 'w: 1\n');
      },
      'is no part of a policy',
    ],
    [
      'holds garbage',
      (made) => {
        made.make('bad');
        made.write('bad/bundle.tar.gz', 'garbage');
      },
      'the archive is no gzip',
    ],
    ['is a file', (made) => made.write('bad', 'x'), 'cannot read'],
    [
      'can be written by others',
      (made) => {
        made.put('bad', { v: 1 });
        chmodSync(join(made.folder, 'bad'), 0o777);
      },
      'is not to be trusted',
    ],
    [
      'is refused by its tests',
      (made) => {
        made.put('bad', { v: 1 });
        made.barred = 'bad';
      },
      'it opens everything',
    ],
    ['leads nowhere', (made) => symlinkSync('/nowhere', join(made.folder, 'bad')), 'cannot read'],
  ])('one that %s harms no other, and decides once it is mended', async (_, spoil, problem) => {
    const made = new TenantScene();
    made.put('acme', { v: 'a' });
    spoil(made);
    await made.open();
    expect([made.inForce('bad'), made.inForce('acme')]).toEqual(['POLICY_ABSENT', { v: 'a' }]);
    expect(made.problems()).toEqual([expect.stringContaining(problem)]);
    made.barred = undefined;
    made.remove('bad');
    await made.tenants.check();
    made.put('bad', { v: 'b' });
    await made.tenants.check();
    await made.settle();
    expect([made.inForce('bad'), made.inForce('acme')]).toEqual([{ v: 'b' }, { v: 'a' }]);
  });

  test('keep the last good one by themselves, up to an age of their own', async () => {
    const made = new TenantScene();
    made.put('acme', { v: 'a' });
    made.put('globex', { v: 'g' });
    await made.open({ age_seconds_max: 60 });
    made.write('acme/bundle.tar.gz', 'garbage');
    made.put('globex', { v: 'g2' });
    await made.settle();
    expect([made.inForce('acme'), made.inForce('globex')]).toEqual([{ v: 'a' }, { v: 'g2' }]);
    made.now_ms += 60_001;
    await made.tenants.check();
    expect([made.inForce('acme'), made.inForce('globex')]).toEqual(['POLICY_ABSENT', { v: 'g2' }]);
    expect(made.told).toEqual(['globex', 'acme']);
  });

  test('a removed tenant is denied at the next look, and its policy is let go', async () => {
    const made = await scene();
    made.remove('acme');
    await made.tenants.check();
    expect([made.inForce('acme'), made.inForce('globex')]).toEqual(['POLICY_ABSENT', { v: 'g' }]);
    const closed = made.held.map(({ tenant, policy }) => [tenant, policy.closed]);
    expect(Object.fromEntries(closed)).toEqual({ acme: true, globex: false });
    expect(made.told).toEqual(['acme']);
  });

  test('a new tenant decides once its files have settled', async () => {
    const made = await scene();
    made.put('initech', { v: 'i' });
    await made.tenants.check();
    expect(made.inForce('initech')).toBe('POLICY_ABSENT');
    await made.tenants.check();
    expect(made.inForce('initech')).toEqual({ v: 'i' });
    expect(made.told).toEqual(['initech']);
  });

  test('a folder that was given another name is another tenant', async () => {
    const made = await scene();
    renameSync(join(made.folder, 'acme'), join(made.folder, 'initech'));
    await made.settle();
    expect([made.inForce('acme'), made.inForce('initech')]).toEqual(['POLICY_ABSENT', { v: 'a' }]);
  });

  test('data that come later are laid over the bundle of that tenant only', async () => {
    const made = await scene();
    made.write('acme/data.yaml', 'w: 1\n');
    await made.settle();
    expect([made.inForce('acme'), made.inForce('globex')]).toEqual([{ v: 'a', w: 1 }, { v: 'g' }]);
  });

  test('names of no tenant are told of, and nothing is made of them', async () => {
    const made = new TenantScene();
    made.put('a%2fb', { v: 1 });
    made.put('.hidden', { v: 1 });
    made.put('acme', { v: 'a' });
    await made.open();
    expect(['a/b', '.hidden', 'acme'].map((tenant) => made.inForce(tenant))).toEqual([
      'POLICY_ABSENT',
      'POLICY_ABSENT',
      { v: 'a' },
    ]);
    expect(made.problems()).toEqual(['names of no tenant: `a%2fb`']);
  });

  test('none may be there yet', async () => {
    const made = await new TenantScene().open();
    expect(made.inForce('acme')).toBe('POLICY_ABSENT');
  });

  test('a tenant over the limit is denied, those who were there are not', async () => {
    const made = new TenantScene();
    made.put('globex', { v: 'g' });
    await made.open({ tenants_max: 1 });
    made.put('acme', { v: 'a' });
    await made.settle();
    expect([made.inForce('acme'), made.inForce('globex')]).toEqual(['POLICY_ABSENT', { v: 'g' }]);
    expect(made.problems()).toEqual(['more tenants than tenants_max (1)']);
  });

  test('a folder that is gone or open to others stops the start; a running one ages', async () => {
    const made = await scene();
    chmodSync(made.folder, 0o777);
    made.put('initech', { v: 'i' });
    await made.settle();
    expect([made.inForce('initech'), made.inForce('acme')]).toEqual(['POLICY_ABSENT', { v: 'a' }]);
    await expect(new TenantScene().open({ tenants: made.folder })).rejects.toMatchObject({
      code: 'POLICY_UNTRUSTED',
    });
    chmodSync(made.folder, 0o700);
    await expect(new TenantScene().open({ tenants: '/nowhere' })).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
    });
  });

  test('are all let go when it closes', async () => {
    const made = await scene();
    await made.tenants.close();
    expect(made.held.map(({ policy }) => policy.closed)).toEqual([true, true]);
    expect(made.inForce('acme')).toBe('POLICY_ABSENT');
    await made.tenants.check();
    expect(made.inForce('acme')).toBe('POLICY_ABSENT');
  });

  test('half a bundle is not taken for one', async () => {
    const made = await scene();
    const whole = bundleOf({ v: 'a2' });
    writeFileSync(join(made.folder, 'acme/bundle.tar.gz'), whole.subarray(0, 40));
    await made.settle();
    expect(made.inForce('acme')).toEqual({ v: 'a' });
    writeFileSync(join(made.folder, 'acme/bundle.tar.gz'), whole);
    await made.settle();
    expect(made.inForce('acme')).toEqual({ v: 'a2' });
  });
});

function bound(made: TenantScene) {
  return { tenants: made.tenants, inForce: (tenant?: string) => made.inForce(tenant) };
}
