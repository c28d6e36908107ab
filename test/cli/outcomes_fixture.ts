/** A real service before which guards stand, and what it recorded of their outcomes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { serve, type Serving } from './fixture.ts';
import { policyOf, ROOT } from './wrap_fixture.ts';

const BUNDLE = join(ROOT, 'bundles', 'mcp.tar.gz');

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];

export function begin(): void {
  folder = privateFolder();
}

export async function end(): Promise<void> {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
}

/** Is closed when the test has ended. */
export function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

export const at = (...names: string[]): string => join(folder.path, ...names);

export async function service(): Promise<Serving> {
  const data = at('data.json');
  writeFileSync(data, JSON.stringify(policyOf({ fine: {}, secret: {}, hang: {} })));
  const argv = ['--bundle', BUNDLE, '--policy-data', data, '--data', at('pdp')];
  const serving = await serve(...argv, '--listen', 'null', '--socket', at('pdp', 'run', 's'));
  opened.push({ close: () => isRunning(serving) && serving.stop('SIGKILL') });
  return serving;
}

function isRunning({ child }: Pick<Serving, 'child'>): boolean {
  return child.exitCode === null && child.signalCode === null;
}

export function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    PORTCULLIS_STATE: at('guard'),
    PORTCULLIS_GUARD_SERVER: 'own',
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'local',
    PORTCULLIS_GUARD_SUBJECT_ID: 'user:alice@example.com',
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
    PORTCULLIS_GUARD_OUTCOMES_RETRY_MS_MAX: '100',
    PORTCULLIS_DECISION_POINT_SOCKET: at('pdp', 'run', 's'),
    PORTCULLIS_DECISION_POINT_TIMEOUT_MS: '5000',
    ...more,
  };
}

export async function outcomes(): Promise<EvidenceRecord[]> {
  const found: EvidenceRecord[] = [];
  for await (const record of readEvidence(at('pdp', 'evidence'))) {
    if (record.kind.startsWith('outcome')) found.push(record);
  }
  return found;
}

/** Looks until so many outcomes are on record. */
export async function recorded(number: number): Promise<EvidenceRecord[]> {
  for (;;) {
    const found = await outcomes();
    if (found.length >= number) return found;
    await pause();
  }
}

export async function decided(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { kind, evaluation_id = '' } of readEvidence(at('pdp', 'evidence'))) {
    if (kind === 'decision') ids.push(evaluation_id);
  }
  return ids.sort();
}

export const idsOf = (records: readonly EvidenceRecord[]): string[] =>
  records.map(({ evaluation_id = '' }) => evaluation_id).sort();
