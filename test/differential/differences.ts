/** Where the voices differ; every difference is a fault of somebody. */
import type { Policy, Request } from './model.ts';
import { filesOf } from './render.ts';
import {
  AS_BUILT,
  askEngines,
  askOracle,
  canonical,
  sorted,
  type Form,
  type OracleAnswer,
  type Voice,
  type Voices,
} from './voices.ts';

export interface Difference {
  why: string;
  request: Request;
  voices: Voices;
  oracle: OracleAnswer | undefined;
}

export interface Comparison {
  differences: Difference[];
  voices: Voices[];
}

export async function compare(
  policy: Policy,
  requests: readonly Request[],
  form: Form = AS_BUILT,
): Promise<Comparison> {
  const voices = await askEngines(filesOf(policy), requests, form);
  const differences = requests.flatMap((request, i) => {
    const oracle = askOracle(policy, request);
    const why = differenceOf(voices[i]!) ?? againstOracle(voices[i]!.wasm, oracle);
    return why ? [{ why, request, voices: voices[i]!, oracle }] : [];
  });
  return { differences, voices };
}

/** What the engines differ in, or undefined. */
export function differenceOf({ opa_scan, opa_static, wasm }: Voices): string | undefined {
  if ('error' in opa_scan || 'error' in opa_static)
    return allows(wasm) ? 'OPA reports an error and WASM allows' : undefined;
  if ('error' in wasm) return 'WASM breaks off where OPA does not';
  if (canonical(opa_scan) !== canonical(opa_static)) return 'the routers differ in OPA';
  if (canonical(opa_static) !== canonical(wasm)) return 'OPA and WASM differ';
  return undefined;
}

function allows(voice: Voice): boolean {
  return 'decision' in voice && voice.decision?.decision === 'allow';
}

/** The tables fix outcome, visibility, constraints and duties, approvers and lists. */
function againstOracle(wasm: Voice, oracle: OracleAnswer): string | undefined {
  if ('error' in wasm) return oracle.decision.decision === 'deny' ? undefined : 'WASM breaks off';
  const { decision, eligible, visible } = wasm;
  const found = {
    decision: decision?.decision,
    visible: decision?.visible,
    constraints: decision?.constraints,
  };
  const { obligations, ...expected } = oracle.decision;
  if (canonical(found) !== canonical(expected)) return 'the oracle judges otherwise';
  const duties = new Set(obligations.map((duty) => canonical(duty)));
  const found_duties = sorted(decision?.obligations).map((duty) => canonical(duty));
  if (found_duties.join() !== [...duties].sort().join()) return 'the oracle finds other duties';
  if (canonical(eligible) !== canonical(oracle.eligible)) return 'the oracle accepts others';
  if (canonical(visible) !== canonical(oracle.visible)) return 'the oracle lists others';
  return undefined;
}
