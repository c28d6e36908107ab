import { createDecipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { openState, sealState, type Owner } from '../../src/pep/request_state.ts';

const KEY = { id: 'k1', secret: new Uint8Array(32) };
const OWNER: Owner = {
  principal: '["user:alice",null,null]',
  server: 'payments',
  method: 'tools/call',
  name: 'transfer',
  arguments_digest: 'hmac-sha256:k1:00',
};
const STATE = { asked: ['name'], inner: '\ud800"\n' };
const seal = () => sealState(KEY, OWNER, STATE, 1000)!;

describe('a sealed state', () => {
  test('opens as it was, until it expires', () => {
    expect(openState(KEY, OWNER, seal(), 1000)).toEqual(STATE);
    expect(openState(KEY, OWNER, seal(), 1001)).toBeUndefined();
    const bare = sealState(KEY, OWNER, { asked: [] }, 1000)!;
    expect(openState(KEY, OWNER, bare, 0)).toEqual({ asked: [] });
  });

  test('tells nothing, not even whether another is the same', () => {
    expect(seal()).not.toBe(seal());
    expect(Buffer.from(seal().slice(3), 'base64url').toString('latin1')).not.toContain('name');
  });

  test.each(Object.keys(OWNER))('opens for no other %s', (member) => {
    const other = { ...OWNER, [member]: `${OWNER[member as keyof Owner]}.` };
    expect(openState(KEY, other, seal(), 0)).toBeUndefined();
  });

  test.each([
    ['of another secret', { id: 'k1', secret: new Uint8Array(32).fill(1) }],
    ['of another name', { id: 'k2', secret: KEY.secret }],
  ])('opens under no key %s', (_what, key) => {
    expect(openState(key, OWNER, seal(), 0)).toBeUndefined();
  });

  test('opens with no bit of it changed', () => {
    const bytes = Buffer.from(seal().slice(3), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      const text = `p1.${changed.toString('base64url')}`;
      expect(openState(KEY, OWNER, text, 0)).toBeUndefined();
    }
  });

  test('is sealed under a key that was made for it alone', () => {
    const bytes = Buffer.from(seal().slice(3), 'base64url');
    const key = new Uint8Array(hkdfSync('sha256', KEY.secret, KEY.id, 'request state', 32));
    const { principal, server, method, name, arguments_digest } = OWNER;
    const owner = [principal, server, method, name, arguments_digest];
    const opened = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      .setAAD(Buffer.from(JSON.stringify(owner)))
      .setAuthTag(bytes.subarray(-16));
    const text = opened.update(bytes.subarray(12, -16), undefined, 'utf8') + opened.final('utf8');
    expect(JSON.parse(text)).toEqual({ ...STATE, expires_at_ms: 1000 });
  });

  test('is none where it would be too long', () => {
    expect(sealState(KEY, OWNER, { asked: [], inner: 'x'.repeat(49_000) }, 0)).toBeDefined();
    expect(sealState(KEY, OWNER, { asked: [], inner: 'x'.repeat(50_000) }, 0)).toBeUndefined();
  });
});
