/** Two tenants with policies of their own, and the same user in both. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTenants } from '../../src/bundle/tenants.ts';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import type { EvaluationRequest, EvidenceRecord } from '../../src/contract/types.gen.ts';
import { activateBundle } from '../../src/decision/activation.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import { embeddedDecisionPoint } from '../../src/decision/embedded.ts';
import type { Caller, DecisionCore } from '../../src/decision/types.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { RequestExtra, TrustedContext } from '../../src/identity/types.ts';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import type { HttpOptions } from '../../src/pep/mcp/http.ts';
import type { ServerFactory } from '../../src/pep/mcp/http_types.ts';
import { testParts } from '../pep/support/parts.ts';
import { CALLER, evidenceOnDisk } from '../support/decisions.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';
import { LIMITS } from '../support/policies.ts';
import { SILENT } from '../support/toolchain.ts';

const LIBRARY = join(import.meta.dirname, '../../bundles/mcp.tar.gz');
const NOW_MS = Date.UTC(2027, 0, 1, 12);

/** Asks for the subjects of one tenant only. */
export const OF_GLOBEX: Caller = { ...CALLER, id: 'pep-of-globex', tenants: new Set(['globex']) };

const entry = { environment: 'production', risk: 'low', approved: true, data_classes: [] };
const registry = Object.fromEntries(
  ['tool:payments/balance', 'tool:payments/transfer', 'tool:payments/report'].map((name) => [
    name,
    entry,
  ]),
);
const tellers = { group: 'tellers' };

/** What each tenant's policy says; both registries hold the same, and nobody else has a policy. */
const POLICIES = {
  acme: {
    registry,
    grants: [
      { to: tellers, on: 'tool:payments/balance' },
      { to: tellers, on: 'tool:payments/report' },
      { to: tellers, on: 'tool:payments/transfer', within: { '/amount': { at_most: 100 } } },
    ],
  },
  globex: {
    registry,
    grants: [
      { to: tellers, on: 'tool:payments/report' },
      { to: tellers, on: 'tool:payments/transfer' },
    ],
  },
} as const;

export interface World extends AsyncDisposable {
  core: DecisionCore;
  /** As a PEP of everybody's asks, and what it was asked. */
  point: DecisionPoint;
  asked: EvaluationRequest[];
  put(tenant: string, policy: object): void;
  remove(tenant: string): void;
  /** Looks until what was put there is in force. */
  settle(): Promise<void>;
  records(): Promise<EvidenceRecord[]>;
  /** A guarded endpoint, whose callers are named `TENANT/USER` by their tokens. */
  serve(factory: ServerFactory, options?: HttpOptions): Promise<string>;
}

export async function openWorld(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const folder = temporaryDirectory();
  const put = (tenant: string, policy: object): void => {
    mkdirSync(join(folder, tenant), { recursive: true, mode: 0o755 });
    copyFileSync(LIBRARY, join(folder, tenant, 'bundle.tar.gz'));
    writeFileSync(join(folder, tenant, 'data.yaml'), JSON.stringify(policy), { mode: 0o644 });
  };
  for (const [tenant, policy] of Object.entries(POLICIES)) put(tenant, policy);
  const { evidence, read } = await evidenceOnDisk();
  const clock = { now_ms: () => NOW_MS };
  const parts = { loadEngine, limits: LIMITS, unsafe_allow_all: false, clock, evidence };
  const tenants = await openTenants({
    settings: { ...DEFAULTS.policy, reload_interval_ms: 3_600_000, tenants: folder },
    clock,
    log: SILENT,
    activate: (bundle, tenant) => activateBundle(bundle, { ...parts, log: SILENT, tenant }),
  });
  stack.defer(() => tenants.close());
  let ids = 0;
  const core = createDecisionCore({
    evaluator: tenants,
    evidence,
    clock,
    random: { id: () => `id-${(ids += 1)}` },
    settings: {
      instance: 'one',
      sep_server: 'payments',
      batch_items_max: 1000,
      batch_bytes_max: 1_000_000,
    },
  });
  const asked: EvaluationRequest[] = [];
  const embedded = embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
  const point: DecisionPoint = {
    decide(request, options) {
      asked.push(request);
      return embedded.decide(request, options);
    },
    discover: (request, options) => embedded.discover(request, options),
    report: (outcome) => embedded.report(outcome),
    turnedAway: (report) => embedded.turnedAway(report),
    describe: (options) => embedded.describe(options),
    watch: (listener, tenant) => embedded.watch(listener, tenant),
    close: () => embedded.close(),
  };
  return {
    core,
    point,
    asked,
    put,
    remove: (tenant) => rmSync(join(folder, tenant), { recursive: true }),
    async settle() {
      for (let looks = 0; looks < 3; looks += 1) await tenants.check();
    },
    records: read,
    serve: (factory, options) => serve(point, factory, options, stack),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function serve(
  point: DecisionPoint,
  factory: ServerFactory,
  options: HttpOptions | undefined,
  stack: AsyncDisposableStack,
): Promise<string> {
  const base = testParts(
    {},
    { decision_timeout_ms: 10_000, refusal_memory_ms: 60_000 },
    { identity: byToken },
  );
  const guard = createGuard({ ...base, decisionPoint: point });
  const handler = guard.http(factory, options);
  const server = createServer((req, res) => {
    const token = req.headers.authorization?.replace('Bearer ', '');
    Object.assign(req, { auth: { token: '-', clientId: 'c', scopes: [], extra: { token } } });
    void handler(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stack.defer(async () => {
    await handler.close();
    await guard.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

function byToken({ authInfo }: RequestExtra): TrustedContext | undefined {
  const token = (authInfo as { extra: { token?: string } }).extra.token ?? '';
  const [tenant = '', user] = token.split('/');
  return user === undefined ? undefined : someone(tenant, user);
}

/** A teller of a tenant, by default of the same name in each. */
export function someone(tenant: string | undefined, user = 'user:alice'): TrustedContext {
  const properties = { actor_type: 'human' as const, groups: ['tellers'] };
  return {
    subject: {
      type: 'identity',
      id: user,
      properties: tenant ? { ...properties, tenant } : properties,
    },
    environment: { deployment: 'production' },
  };
}

/** A call of a tool as a PEP puts it; `tenant` may be anything. */
export function callBy(tenant: unknown, tool: string, amount = 5): object {
  const { subject, environment } = someone(undefined);
  const properties = { ...subject.properties, ...(tenant !== undefined && { tenant }) };
  return {
    subject: { ...subject, properties },
    action: { name: 'tools/call', properties: { verb: 'execute' } },
    resource: { type: 'tool', id: tool, properties: { server: 'payments' } },
    context: { profile: 'mcp/1', phase: 'call', environment, arguments: { amount } },
  };
}
