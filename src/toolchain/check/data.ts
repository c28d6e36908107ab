import { VALIDATORS } from '../../contract/validate.ts';
import type { Finding, ParsedPolicy } from '../policy.ts';

/** Roots that only the library and the decision point write. */
const RESERVED = ['mcp', 'portcullis'];

/**
 * The policy data fits its schema. Data under `mcp` would be read as rules, and an empty region
 * would hold for everything; both are refused here and again when data is loaded.
 */
export function data({ sources }: ParsedPolicy): Finding[] {
  const root = RESERVED.find((name) => Object.hasOwn(sources.data, name));
  if (root) {
    return [found(`/${root}`, `the data root \`${root}\` is reserved`, 'use a root of your own')];
  }
  const result = VALIDATORS.policy_data(sources.data);
  if (result.ok) return [];
  const { pointer, problem } = result.fault;
  const fault = `the data does not fit its schema: ${problem}`;
  return [found(pointer, fault, 'see docs/policy_data.md')];
}

function found(pointer: string, problem: string, instead: string): Finding {
  return { check: 'data', place: `data ${pointer}`, problem, instead };
}
