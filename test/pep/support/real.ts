/** A guarded server before a real decision point, and the ways in which one can fail. */
import { embeddedDecisionPoint } from '../../../src/decision/embedded.ts';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { answerProof, keysOf, PROOF_HEADERS } from '../../../src/contract/proof.ts';
import type { DecisionCore } from '../../../src/decision/types.ts';
import type { IdentitySource, TrustedContext } from '../../../src/identity/types.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import { READY, TOKEN } from '../../pdp/fixture.ts';
import { pretend, type Pretender } from '../../decision/remote/fixture.ts';
import { CALLER } from '../../support/decisions.ts';
import { ALICE, LogLines, testParts } from './parts.ts';
import { HELLO } from './rig.ts';
import { buildServer, said, type Journal, type Line } from './servers.ts';
import { TestWire } from './wire.ts';
import { DEFAULTS } from '../../support/defaults.ts';

/** What works is not late on a busy machine either. */
const PATIENT = { decision_timeout_ms: 5_000 };

export interface RealRig {
  wire: TestWire;
  journal: Journal;
  log: LogLines;
}

/** The server has a tool of each name, whose handler writes to the journal. */
export async function before(
  point: DecisionPoint,
  line: Line,
  tools: readonly string[],
  who: TrustedContext | IdentitySource = ALICE,
  settings: Partial<GuardSettings> = {},
  greeted = true,
): Promise<RealRig> {
  const journal: Journal = { calls: [] };
  const log = new LogLines();
  const identity = typeof who === 'function' ? who : () => who;
  const parts = {
    ...testParts({}, { ...PATIENT, ...settings }, { identity }),
    decisionPoint: point,
    log,
  };
  const more = Object.fromEntries(tools.map((name) => [name, () => said(`did ${name}`)]));
  const wire = new TestWire();
  await createGuard(parts)(buildServer(line, journal, more)).connect(wire);
  if (greeted) await wire.ask('hello', 'initialize', HELLO);
  if (greeted) wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return { wire, journal, log };
}

export function embedded(core: DecisionCore): DecisionPoint {
  return embeddedDecisionPoint(core, CALLER, DEFAULTS.pdp.body_bytes_max);
}

/**
 * Holds the token, so that its answers are proved, and says to a call what it is told; `outcome` is
 * what it is told of a call.
 */
export async function provenPretender(
  say: () => unknown,
): Promise<Pretender & { outcome: Promise<unknown> }> {
  const { promise: outcome, resolve } = Promise.withResolvers<unknown>();
  const pretender = await pretend(({ headers, method = '', url: target = '' }, sent, response) => {
    if (target === '/v1/outcomes') resolve(JSON.parse(String(sent)));
    const body = JSON.stringify(target === '/v1/status' ? READY : say());
    const nonce = String(headers[PROOF_HEADERS.nonce]);
    const request = { nonce, method, target, body: sent };
    response.writeHead(200, {
      'content-type': 'application/json',
      [PROOF_HEADERS.proof]: answerProof(keysOf(TOKEN), request, { status: 200, body }),
    });
    response.end(body);
  });
  return { ...pretender, outcome };
}
