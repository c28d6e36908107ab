/** A policy server that answers as a test says, and a core that asks it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { openEvaluator, type OpenedEvaluator } from '../../../src/cli/evaluators.ts';
import type { Configuration } from '../../../src/config/types.gen.ts';
import type { EvidenceRecord } from '../../../src/contract/types.gen.ts';
import { createDecisionCore } from '../../../src/decision/core.ts';
import type { DecisionCore } from '../../../src/decision/types.ts';
import { evidenceOnDisk } from '../../support/decisions.ts';
import { DEFAULTS } from '../../support/defaults.ts';
import { recordingLogger, type LoggedLine } from '../../support/evidence_log.ts';
import { IMPATIENT } from '../suite_world.ts';
import { pretend } from '../remote/fixture.ts';
import { Servers } from './processes.ts';

type Policy = Configuration['policy'];
export type Asked = 'opa' | 'authzen';

/** What was parsed from JSON: the tests know its shape. */
type Json = ReturnType<typeof JSON.parse>;

/** One request as the server got it. */
export interface Got {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Json;
}

export type Misbehave = (response: ServerResponse, request: IncomingMessage) => void;

export interface Liar {
  url: string;
  /** What it got, its looks left out. */
  got: Got[];
  /** From now on it answers what is not a look so, or well again. */
  act(misbehave: Misbehave | undefined): void;
  /** The same for looks, as far as they ask for a decision. */
  actToLooks(misbehave: Misbehave | undefined): void;
  /** The AuthZEN metadata it tells. */
  metadata: Record<string, unknown>;
}

export const servers = new Servers();

const NOBODY = 'portcullis:nobody';
const JSON_HEADERS = { 'content-type': 'application/json' };

export function json(body: unknown, status = 200, headers = {}): Misbehave {
  return (response) => {
    response.writeHead(status, { ...JSON_HEADERS, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** Allows everybody but nobody, and lists everything. */
export async function liar(): Promise<Liar> {
  let misbehave: Misbehave | undefined;
  let misbehaveToLooks: Misbehave | undefined;
  const got: Got[] = [];
  const metadata: Record<string, unknown> = {};
  const server = servers.keep(
    await pretend((request, sent, response) => {
      const { method = '', url: path = '', headers } = request;
      const body = sent.length > 0 ? JSON.parse(String(sent)) : undefined;
      const input = body?.input ?? body;
      const isLook = body === undefined || input.subject?.id === NOBODY;
      if (!isLook) got.push({ method, path, headers, body });
      const act = isLook ? body && misbehaveToLooks : misbehave;
      if (act) return act(response, request);
      json(wellBehaved(path, input, metadata))(response, request);
    }),
  );
  Object.assign(metadata, {
    policy_decision_point: server.url,
    access_evaluation_endpoint: `${server.url}/access/v1/evaluation`,
    access_evaluations_endpoint: `${server.url}/access/v1/evaluations`,
  });
  return {
    url: server.url,
    got,
    metadata,
    act: (next) => (misbehave = next),
    actToLooks: (next) => (misbehaveToLooks = next),
  };
}

/** Says yes to everybody but nobody. */
export function wellBehaved(path: string, input: Json, metadata = {}): object {
  if (path.startsWith('/health')) return {};
  if (path.startsWith('/.well-known')) return metadata;
  const decision = input.subject.id !== NOBODY;
  const provenance = { bundles: { main: { revision: 'one' } } };
  if (path.startsWith('/v1/data/suite/visible')) {
    return { result: [...input.resources.keys()], provenance };
  }
  if (path.startsWith('/v1/data')) return { result: decision, provenance };
  if (path.endsWith('/evaluations')) {
    return { evaluations: input.evaluations.map(() => ({ decision })) };
  }
  return { decision };
}

export interface Scene {
  core: DecisionCore;
  evaluator: OpenedEvaluator;
  log: LoggedLine[];
  records(): Promise<EvidenceRecord[]>;
}

/** The core over `policy.remote` at an address, with more settings. */
export async function sceneAt(
  backend: Asked,
  remote: Partial<Policy['remote']>,
  policy: Partial<Policy> = {},
): Promise<Scene> {
  const { evidence, read } = await evidenceOnDisk();
  const lines: LoggedLine[] = [];
  const asked = backend === 'opa' ? { path: 'suite/decision' } : {};
  const evaluator = servers.keep(
    await openEvaluator(
      {
        ...DEFAULTS,
        policy: {
          ...DEFAULTS.policy,
          backend,
          remote: { ...IMPATIENT, ...asked, ...remote },
          ...policy,
        },
      },
      { evidence, log: recordingLogger(lines) },
    ),
  );
  const core = createDecisionCore({
    evaluator,
    evidence,
    clock: { now_ms: () => Date.now() },
    random: { id: () => crypto.randomUUID() },
    settings: {
      instance: 'one',
      sep_server: 'payments',
      batch_items_max: 1000,
      batch_bytes_max: 10_485_760,
    },
  });
  return { core, evaluator, log: lines, records: read };
}
