/** Decision points that work and that fail, each a real core, a real service or one that lies. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { readBundle, type PolicyBundle, layPolicyData } from '../../../src/bundle/bundle.ts';
import { readFiles } from '../../../src/bundle/files.ts';
import { openDecisionPoint } from '../../../src/cli/decision_point.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import type { DecisionCore } from '../../../src/decision/types.ts';
import { remote } from '../../decision/remote/fixture.ts';
import { ALLOWED, privateFolder, start } from '../../pdp/fixture.ts';
import {
  foreignBundle,
  sceneOf,
  sceneWith,
  UNWRITABLE,
  type Scene,
} from '../../support/decisions.ts';
import { LogLines } from './parts.ts';
import { embedded, provenPretender } from './real.ts';
import { DEFAULTS } from '../../support/defaults.ts';

/** A decision point with what it leaves behind for an operator. */
export interface World {
  point: DecisionPoint;
  /** Its log beside that of the guard. */
  log?: LogLines;
  records?: () => Promise<unknown>;
  /** What goes wrong, once the client has said hello. */
  fail?: () => unknown;
}

/** The tool `fine` is allowed; each other one meets a policy that fails in the way of its name. */
export const ODD_POLICY = `package odd
id := input.resource.id
call if input.context.phase == "call"
result := {"decision": "allow"} if { not call; id != "hidden" }
result := {"decision": "deny"} if { call; id == "hidden" }
result := {"decision": "allow"} if { call; id == "fine" }
result := {"decision": "allow"} if { call; id == "conflict" }
result := {"decision": "deny"} if { call; id == "conflict" }
result := {"decision": "maybe"} if { call; id == "maybe" }
result := "allow" if { call; id == "text" }
result := {"decision": "allow", "errors": ["a source is down"]} if { call; id == "errors" }
result := {"decision": "allow", "constraints": {"actor_required": "human"}} if {
  call
  id == "actor"
}
result := {"decision": "require_approval"} if { call; id == "approval" }
`;
export const TOOLS = [
  'fine',
  'conflict',
  'maybe',
  'text',
  'errors',
  'actor',
  'approval',
  'ruleless',
];

/** What works is not late on a busy machine either. */
export const PATIENT = { timeout_ms: 5_000 };

const opened: { close(): unknown }[] = [];
export async function closeWorlds(): Promise<void> {
  for (const each of opened.splice(0).reverse()) await each.close();
}

export function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

let compiled: Promise<PolicyBundle> | undefined;
export async function scene(): Promise<Scene> {
  compiled ??= foreignBundle(ODD_POLICY, ['odd/result']);
  return sceneOf(await compiled);
}

export async function policy(): Promise<World> {
  const { core, records } = await scene();
  return { point: embedded(core), records };
}

/** The real service over the real core; a method of the core may be replaced. */
export async function service(replaced: Partial<DecisionCore> = {}) {
  const { core, records } = await scene();
  const running = await start({ ...core, ...methodsOf(core), ...replaced });
  let open = true;
  const close = async () => {
    if (open) await running.close();
    open = false;
  };
  keep({ close });
  return {
    point: keep(remote({ url: running.url }, PATIENT)),
    close,
    records,
    log: linesOf(running.log),
  };
}

/** A core is a class, whose methods a spread leaves behind. */
export function methodsOf(core: DecisionCore): DecisionCore {
  return {
    evaluation: (body, caller) => core.evaluation(body, caller),
    evaluations: (body, caller) => core.evaluations(body, caller),
    sepDecision: (body, caller) => core.sepDecision(body, caller),
    outcome: (body, caller) => core.outcome(body, caller),
    status: () => core.status(),
    watch: (listener) => core.watch(listener),
  };
}

function linesOf({ lines }: { lines: LogLines['lines'] }): LogLines {
  return Object.assign(new LogLines(), { lines });
}

/** What holds the token and answers a call with this. */
export const said = (answer: unknown) => async (): Promise<World> => {
  const { url } = keep(await provenPretender(() => answer));
  return { point: keep(remote({ url }, PATIENT)) };
};

/** What allows on a condition that it left to the guard. */
export const leaving = (constraints: object) => async (): Promise<World> => {
  const context = { ...ALLOWED.context, constraints };
  const { url, outcome } = keep(await provenPretender(() => ({ ...ALLOWED, context })));
  return { point: keep(remote({ url }, PATIENT)), records: () => outcome };
};

export async function brokenBundle(): Promise<World> {
  const folder = privateFolder();
  keep({ close: () => folder.remove() });
  const bundle = join(folder.path, 'bundle.tar.gz');
  writeFileSync(bundle, 'garbage');
  const load = (instance: string) =>
    loadConfiguration({
      names: { server: 'payments', instance },
      overrides: {
        state: folder.path,
        policy: { bundle },
        decision_point: { embedded: true },
      },
      variables: {},
    });
  const log = new LogLines();
  const { point, opened: opening } = openDecisionPoint(load('main'), load, log);
  await expect(opening).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  return { point: keep(point), log };
}

/** The policy of the example, in which nothing speaks of any tool of these tests. */
export async function library(): Promise<World> {
  const file = join(import.meta.dirname, '../../../bundles/payments.tar.gz');
  const { core, records } = await sceneOf(
    layPolicyData(readBundle(await readFiles(file, DEFAULTS.policy))),
  );
  return { point: embedded(core), records };
}

/** The core says that it is ready, and fails where the record is written. */
export async function withoutEvidence(): Promise<World> {
  const { policy: active } = await scene();
  const { core } = sceneWith(active, UNWRITABLE, async () => []);
  const status = () => ({ ...core.status(), ready: true });
  return { point: embedded({ ...methodsOf(core), status }) };
}
