/**
 * What a guarded server may say that it can do: only what the guard enforces, and the extension
 * that says so. A claim of that extension by the server itself is dropped.
 */
import { EXTENSION } from './answers.ts';
import { ALL_KINDS, KINDS, type Kind } from './kinds.ts';
import { isObject, type JsonObject } from './message.ts';
import { TASKS, type Era } from './methods.ts';

/** True only where it is (requirement E-01). There is no approval channel. */
export interface Enforcement {
  /** The decision point writes the audit events of the draft. */
  audit_events: boolean;
}

/** The result of `initialize` or `server/discover` with what is not enforced taken out. */
export function trimServerResult(
  result: JsonObject,
  era: Era,
  enforcement: Enforcement,
): Record<string, unknown> {
  const offered = isObject(result['capabilities']) ? result['capabilities'] : {};
  return { ...result, capabilities: trim(offered, era, enforcement) };
}

function trim(offered: JsonObject, era: Era, { audit_events }: Enforcement): JsonObject {
  const has = (name: string) => isObject(offered[name]);
  const said = (name: string, member: string) =>
    memberOf(offered[name], member) === true && { [member]: true };
  // Policy changes lists, and in the legacy era the guard itself tells of that.
  const changes = (name: string) =>
    era === 'legacy' ? { listChanged: true } : said(name, 'listChanged');
  return {
    ...(has('tools') && { tools: { ...changes('tools') } }),
    ...(has('prompts') && { prompts: { ...changes('prompts') } }),
    ...(has('resources') && {
      resources: { ...changes('resources'), ...said('resources', 'subscribe') },
    }),
    ...(has('completions') && { completions: {} }),
    ...(has('logging') && { logging: {} }),
    ...(has('tasks') && era === 'legacy' && { tasks: tasksOf(offered['tasks']) }),
    extensions: {
      ...(isObject(memberOf(offered['extensions'], TASKS)) && era === 'modern' && { [TASKS]: {} }),
      [EXTENSION]: {
        version: '1.0',
        supportsDiscoveryFiltering: true,
        supportsActorConstraints: true,
        supportsApprovalConstraints: false,
        supportsExternalDecision: true,
        supportsAuditEvents: audit_events,
      },
    },
  };
}

/** Tasks of calls only, and what may be done with them (2025-11-25). */
function tasksOf(offered: unknown): JsonObject {
  const has = (name: string) => isObject(memberOf(offered, name));
  const calls = memberOf(memberOf(memberOf(offered, 'requests'), 'tools'), 'call');
  return {
    ...(has('list') && { list: {} }),
    ...(has('cancel') && { cancel: {} }),
    ...(isObject(calls) && { requests: { tools: { call: {} } } }),
  };
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}

/** The kinds of capability that a trimmed result of `initialize` offers. */
export function offeredKinds(result: JsonObject): Kind[] {
  return ALL_KINDS.filter((kind) => memberOf(result['capabilities'], KINDS[kind].capability));
}

/** Whether a trimmed result of `initialize` or `server/discover` offers tasks. */
export function offersTasks({ capabilities }: JsonObject): boolean {
  const extension = memberOf(memberOf(capabilities, 'extensions'), TASKS);
  return isObject(memberOf(capabilities, 'tasks')) || isObject(extension);
}

/** A filtered answer belongs to one caller, and only for as long as policy may stay unseen. */
export function privateCache(result: JsonObject, ttl_ms_max: number): Record<string, unknown> {
  const ttl = result['ttlMs'];
  const ttlMs = typeof ttl === 'number' && ttl >= 0 ? Math.min(ttl, ttl_ms_max) : 0;
  return { ...result, ttlMs, cacheScope: 'private' };
}
