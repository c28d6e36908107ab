/** The limits of `guard.identity.jwt`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  NOW_S,
  authenticator,
  clock,
  closeAll,
  codeOf,
  mint,
  newKey,
  overFile,
  privateFolder,
  serveKeys,
} from '../../identity/jwt/support.ts';
import { around, type Probe, type TimeProbe } from './probe.ts';

const key = await newKey('ES256', 'k1');
const KEYS = JSON.stringify({ keys: [key.jwk] });
const token = await mint(key, { exp: NOW_S + 100_000 });

async function cleaned<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } finally {
    await closeAll();
  }
}

/** The token stays as it is, and the limit moves. */
export function tokenBytes(): Promise<Probe> {
  return around(1000, (amount, limit) =>
    cleaned(async () => {
      const token_bytes_max = token.length + limit - amount;
      return codeOf(await overFile([key.jwk], { token_bytes_max }).ask(token));
    }),
  );
}

/** A file of so many bytes. */
function padded(text: string, bytes: number): string {
  const path = join(privateFolder(), 'file.json');
  writeFileSync(path, text.padEnd(bytes), { mode: 0o600 });
  return path;
}

export function jwksBytes(): Promise<Probe> {
  return around(2000, (amount, jwks_bytes_max) =>
    cleaned(async () => {
      const jwks_file = padded(KEYS, amount);
      return codeOf(await authenticator({ jwks_file, jwks_bytes_max }).ask(token));
    }),
  );
}

export function revokedBytes(): Promise<Probe> {
  return around(2000, (amount, revoked_bytes_max) =>
    cleaned(async () => {
      const revoked_file = padded('{"revoked":[]}', amount);
      return codeOf(await overFile([key.jwk], { revoked_file, revoked_bytes_max }).ask(token));
    }),
  );
}

/** How a token of a known or an unknown key fares when so much time has passed since the fetch. */
async function afterwards(settings: object, passed_ms: number, then: string, reachable = true) {
  return cleaned(async () => {
    let up = true;
    const { url, seen } = await serveKeys((_req, res) => {
      res.writeHead(up ? 200 : 500).end(up ? KEYS : '');
    });
    const { ask } = authenticator({ jwks_url: url, ...settings });
    await ask(token);
    clock.at_ms += passed_ms;
    up = reachable;
    const code = codeOf(await ask(then));
    return { code, fetched: `fetched ${seen.asked} times` };
  });
}

export function jwksFresh(): Promise<Probe> {
  return around(60, async (amount, jwks_fresh_seconds_max) => {
    const settings = { jwks_fresh_seconds_max, jwks_cooldown_ms: 10 };
    return (await afterwards(settings, amount * 1000, token)).fetched;
  });
}

export function jwksAge(): Promise<Probe> {
  return around(60, async (amount, jwks_age_seconds_max) => {
    const settings = { jwks_age_seconds_max, jwks_fresh_seconds_max: 1, jwks_cooldown_ms: 10 };
    return (await afterwards(settings, amount * 1000, token, false)).code;
  });
}

export function jwksCooldown(): Promise<Probe> {
  return around(5000, async (amount, jwks_cooldown_ms) => {
    const unknown = await mint(key, {}, { kid: 'another' });
    return (await afterwards({ jwks_cooldown_ms }, amount, unknown)).fetched;
  });
}

export async function jwksTimeout(): Promise<TimeProbe> {
  const asked = (jwks_timeout_ms: number, answers: boolean): Promise<string> =>
    cleaned(async () => {
      const { url } = await serveKeys((_req, res) => answers && res.end(KEYS));
      return codeOf(await authenticator({ jwks_url: url, jwks_timeout_ms }).ask(token));
    });
  return { soon: await asked(60_000, true), never: await asked(30, false) };
}
