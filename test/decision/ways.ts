/** Every way to ask the core about a subject; each as a function of what is said of the subject. */
import type { Caller, DecisionCore } from '../../src/decision/types.ts';
import { callOf } from '../support/decisions.ts';

/** Said of a subject: members of its `properties`, which are those of the SEP's `subject` too. */
export type Said = Record<string, unknown>;

export interface Way {
  what: string;
  ask(core: DecisionCore, said: Said, by: Caller): Promise<unknown>;
}

const DIGEST = `sha256:${'0'.repeat(64)}`;
const READ = { action: { name: 'can_read' }, resource: { type: 'todo', id: '1' } };

const subject = (type: string, said: Said): object => ({
  type,
  id: 'user:alice@example.com',
  properties: said,
});

export const plain = (said: Said): object => ({ subject: subject('user', said), ...READ });

const call = (said: Said) => ({ ...callOf(), subject: subject('identity', said) });

const list = (said: Said): object => {
  const { resource, context, ...shared } = call(said);
  return {
    ...shared,
    action: { ...shared.action, name: 'tools/list' },
    context: { ...context, phase: 'discovery' },
    evaluations: [{ resource }],
    options: { portcullis: { discovery: { catalogue_digest: DIGEST } } },
  };
};

const sep = (said: Said, environment?: object): object => ({
  subject: { principal: 'user:alice@example.com', ...said },
  capability: { type: 'tool', name: 'restart_service' },
  action: 'execute',
  ...(environment && { environment }),
});

export const WAYS: readonly Way[] = [
  { what: 'a call', ask: (core, said, by) => core.evaluation(call(said), by) },
  { what: 'a plain evaluation', ask: (core, said, by) => core.evaluation(plain(said), by) },
  {
    what: 'an entry of a batch',
    ask: (core, said, by) => {
      const entries = [{ tenant: 'acme' }, said].map((each) => ({
        subject: subject('user', each),
      }));
      return core.evaluations({ ...READ, evaluations: entries }, by);
    },
  },
  {
    what: 'what a batch shares',
    ask: (core, said, by) => core.evaluations({ ...plain(said), evaluations: [{}] }, by),
  },
  { what: 'an empty batch', ask: (core, said, by) => core.evaluations(plain(said), by) },
  { what: 'a list', ask: (core, said, by) => core.evaluations(list(said), by) },
  { what: 'the profile of the SEP', ask: (core, said, by) => core.sepDecision(sep(said), by) },
];

/** The second place that the SEP has for a tenant (ruling R3). */
export function sepEnvironment(core: DecisionCore, said: Said, by: Caller): Promise<unknown> {
  return core.sepDecision(sep({}, said), by);
}
