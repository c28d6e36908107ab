/**
 * Where an AuthZEN decision point is asked, by its own metadata (Authorization API 1.0, section
 * 9).
 */
import { invalidAnswer, readForeignUrl, type ForeignClient } from '../foreign/client.ts';
import { requireObject } from '../foreign/words.ts';

/** Paths at the decision point's address. */
export interface Endpoints {
  evaluation: string;
  /** Null where each evaluation is asked for by itself. */
  evaluations: string | null;
}

const WELL_KNOWN = '/.well-known/authzen-configuration';

/**
 * Fetches the metadata, which for one decision point of many lies before its path (section 9.2.1).
 * It must speak of the very address it was asked at, and its endpoints must lie there too: a token
 * goes to nobody else. Rejects with `BACKEND_…`.
 */
export async function readMetadata(client: ForeignClient, url: string): Promise<Endpoints> {
  const metadata = requireObject(
    await client.send({ path: WELL_KNOWN + client.base }),
    'its metadata',
  );
  const { policy_decision_point, access_evaluation_endpoint, access_evaluations_endpoint } =
    metadata;
  if (!isSame(policy_decision_point, url)) {
    throw invalidAnswer('its metadata is that of another decision point');
  }
  return {
    evaluation: pathIn(url, access_evaluation_endpoint),
    evaluations:
      access_evaluations_endpoint === undefined ? null : pathIn(url, access_evaluations_endpoint),
  };
}

function isSame(named: unknown, url: string): boolean {
  return typeof named === 'string' && named.replace(/\/$/, '') === url.replace(/\/$/, '');
}

function pathIn(url: string, endpoint: unknown): string {
  const parsed = typeof endpoint === 'string' ? URL.parse(endpoint) : null;
  if (!parsed || parsed.hash !== '' || parsed.origin !== readForeignUrl(url).origin) {
    throw invalidAnswer('its metadata names no endpoint at its own address');
  }
  return parsed.pathname + parsed.search;
}
