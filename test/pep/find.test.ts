import { describe, expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { CatalogueItem, Snapshot } from '../../src/pep/catalogue.ts';
import type { Exchange } from '../../src/pep/exchange.ts';
import { find } from '../../src/pep/find.ts';
import type { Kind } from '../../src/pep/kinds.ts';

const itemOf = (name: string): CatalogueItem => {
  const definition = { name };
  return { name, digest: digestOf(definition), text: JSON.stringify(definition), definition };
};

const snapshotOf = (names: readonly string[], supported = true): Snapshot => ({
  items: new Map(names.map((name) => [name, itemOf(name)])),
  doubled: new Set(),
  digest: digestOf(names),
  supported,
});

/** Looks for a resource on a server with templates, and with resources where it has the method. */
async function look(uri: string, templates: Snapshot, listed = snapshotOf(['vault://listed'])) {
  const catalogue = async (kind: Kind) => (kind === 'resource' ? listed : templates);
  return find({ catalogue }, {} as Exchange, 'resource', uri);
}

describe('a resource', () => {
  test('that is listed is itself, whatever template would make it', async () => {
    const found = await look('vault://listed', snapshotOf(['vault://{x}']));
    expect(found).toEqual({ supported: true, item: itemOf('vault://listed') });
  });

  test('of one template is decided by the definition of that template', async () => {
    const { digest, ...rest } = itemOf('vault://{x}');
    const found = await look('vault://a', snapshotOf(['other://{x}', 'vault://{x}']));
    const item = { ...rest, name: 'vault://a', digest };
    expect(found).toEqual({ supported: true, item, templated: true });
  });

  test('of two templates is decided by the definitions of both', async () => {
    const names = ['vault://{x}', 'vault://{+x}'];
    const { item } = await look('vault://a', snapshotOf([...names, 'other://{x}']));
    expect(item?.digest).toBe(digestOf(names.map((name) => itemOf(name).digest)));
  });

  test('of no template does not exist', async () => {
    expect(await look('vault://a', snapshotOf(['other://{x}']))).toEqual({ supported: true });
  });

  test.each([
    [true, true, true],
    [true, false, true],
    [false, true, true],
    [false, false, false],
  ])('where resources are known: %s, templates: %s, is served: %s', async (one, other, served) => {
    const { supported } = await look('vault://a', snapshotOf([], other), snapshotOf([], one));
    expect(supported).toBe(served);
  });
});

describe('an address that a template makes has one spelling', () => {
  const exists = async (part: string) =>
    (await look(`vault://box/${part}`, snapshotOf(['vault://box/{+x}']))).item !== undefined;

  // RFC 3986, sections 2.2 and 2.3, and what may stand for nothing but itself.
  test.each(['a', '%20', '%C3%A9', '%5B', '%5D', '%3A', '%3F', '%7B', '%7F', '%40', '%0A'])(
    '%s is one',
    async (part) => {
      expect(await exists(part)).toBe(true);
    },
  );

  test.each([
    ...['%41', '%4F', '%50', '%51', '%59', '%5A', '%61', '%6f', '%70', '%71', '%79', '%7A'],
    ...['%30', '%31', '%39', '%2D', '%2E', '%2F', '%5C', '%5F', '%7E', '%25', '%00'],
    ...['%c3%a9', '%Cf', '%cF', '%3a', '%7b', '%e2', '\\', 'a/../b', 'é', ' '],
  ])('%s has another', async (part) => {
    expect(await exists(part)).toBe(false);
  });
});
