/** Settings that cannot stand together. Each row says when, and names them. */
import { EXPORT_CONTRADICTIONS } from './export_contradictions.ts';
import type { Configuration } from './types.gen.ts';

export interface Contradiction {
  /** The settings, which the message names with their places. */
  names: readonly string[];
  /** What is wrong with them. */
  fault: string;
  holds(configuration: Configuration): boolean;
}

/** WebAssembly Core Specification, section 4.2.8. */
const WASM_PAGE_BYTES = 65_536;

type Policy = Configuration['policy'];

/** Whether a policy server decides, as `policy.remote` says. */
function isRemote({ backend }: Policy): boolean {
  return backend !== 'wasm' && backend !== 'static_rbac';
}

export const CONTRADICTIONS: readonly Contradiction[] = [
  {
    names: ['decision_point.socket', 'decision_point.url'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.socket !== null && at.url !== null,
  },
  {
    names: ['decision_point.socket', 'decision_point.embedded'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.socket !== null && at.embedded,
  },
  {
    names: ['decision_point.url', 'decision_point.embedded'],
    fault: 'cannot both be given',
    holds: ({ decision_point: at }) => at.url !== null && at.embedded,
  },
  {
    names: ['decision_point.token_file', 'pdp.token_file'],
    fault: 'cannot be one file: the first holds tokens, the second only what follows from them',
    holds: ({ decision_point: at, pdp }) => at.token_file === pdp.token_file,
  },
  {
    names: ['pdp.tls.cert_file', 'pdp.tls.key_file'],
    fault: 'must be given together',
    holds: ({ pdp: { tls } }) => (tls.cert_file === null) !== (tls.key_file === null),
  },
  {
    names: ['pdp.tls.client_ca_file', 'pdp.tls.cert_file'],
    fault: 'contradict: without TLS no client shows a certificate',
    holds: ({ pdp: { tls } }) => tls.client_ca_file !== null && tls.cert_file === null,
  },
  {
    names: ['pdp.tls.callers_file', 'pdp.tls.client_ca_file'],
    fault: 'must be given together',
    holds: ({ pdp: { tls } }) => (tls.callers_file === null) !== (tls.client_ca_file === null),
  },
  {
    names: ['decision_point.cert_file', 'decision_point.key_file'],
    fault: 'must be given together',
    holds: ({ decision_point: at }) => (at.cert_file === null) !== (at.key_file === null),
  },
  {
    names: ['decision_point.embedded', 'policy.bundle'],
    fault: 'must be given together',
    holds: ({ decision_point, policy }) => decision_point.embedded && isWithoutBundle(policy),
  },
  {
    names: ['policy.backend', 'policy.rbac_file'],
    fault: 'must be given together',
    holds: ({ policy }) => policy.backend === 'static_rbac' && policy.rbac_file === null,
  },
  {
    names: ['policy.tenants', 'policy.bundle'],
    fault: 'cannot both be given',
    holds: ({ policy }) => policy.tenants !== null && policy.bundle !== null,
  },
  {
    names: ['policy.tenants', 'policy.backend'],
    fault: 'cannot stand together: only compiled policies lie in folders of tenants',
    holds: ({ policy }) => policy.tenants !== null && policy.backend !== 'wasm',
  },
  {
    names: ['policy.backend', 'policy.remote.url'],
    fault: 'must be given together, or `policy.remote.socket` in place of the latter',
    holds: ({ policy }) =>
      isRemote(policy) && policy.remote.url === null && policy.remote.socket === null,
  },
  {
    names: ['policy.remote.socket', 'policy.remote.url'],
    fault: 'cannot both be given',
    holds: ({ policy: { remote } }) => remote.socket !== null && remote.url !== null,
  },
  {
    names: ['policy.backend', 'policy.remote.path'],
    fault: 'must be given together: an OPA server is asked for a rule',
    holds: ({ policy }) => policy.backend === 'opa' && policy.remote.path === null,
  },
  {
    names: ['policy.remote.socket', 'policy.remote.path'],
    fault: 'must be given together: metadata names an address, which a socket has not',
    holds: ({ policy: { backend, remote } }) =>
      backend === 'authzen' && remote.socket !== null && remote.path === null,
  },
  {
    names: ['policy.remote.discovery_path', 'policy.remote.path'],
    fault: 'must be given together',
    holds: ({ policy: { remote } }) => remote.discovery_path !== null && remote.path === null,
  },
  {
    names: ['policy.remote.cert_file', 'policy.remote.key_file'],
    fault: 'must be given together',
    holds: ({ policy: { remote } }) => (remote.cert_file === null) !== (remote.key_file === null),
  },
  {
    names: ['policy.remote.ca_file', 'policy.remote.url'],
    fault: 'contradict: certificates are of use with https only',
    holds: ({ policy: { remote } }) => remote.ca_file !== null && !remote.url?.startsWith('https:'),
  },
  {
    names: ['policy.remote.cert_file', 'policy.remote.url'],
    fault: 'contradict: certificates are of use with https only',
    holds: ({ policy: { remote } }) =>
      remote.cert_file !== null && !remote.url?.startsWith('https:'),
  },
  {
    names: ['policy.remote.poll_interval_ms', 'policy.remote.silence_ms_max'],
    fault: 'contradict: the policy server would count as silent before it is looked at again',
    holds: ({ policy: { remote } }) => remote.poll_interval_ms >= remote.silence_ms_max,
  },
  {
    names: ['policy.data', 'policy.bundle'],
    fault: 'must be given together',
    holds: ({ policy }) => policy.data !== null && policy.bundle === null,
  },
  {
    names: ['policy.reload_interval_ms', 'policy.age_seconds_max'],
    fault: 'contradict: a policy would be too old before it is read again',
    holds: ({ policy }) =>
      policy.age_seconds_max > 0 && policy.reload_interval_ms >= policy.age_seconds_max * 1000,
  },
  {
    names: ['evidence.record_bytes_max', 'evidence.segment_bytes_max'],
    fault: 'contradict: a file must be able to hold a record',
    holds: ({ evidence }) => evidence.record_bytes_max > evidence.segment_bytes_max,
  },
  {
    names: ['policy.archive_bytes_max', 'policy.unpacked_bytes_max'],
    fault: 'contradict: so large a bundle would unpack to more than is taken',
    holds: ({ policy }) => policy.archive_bytes_max > policy.unpacked_bytes_max,
  },
  {
    names: ['policy.evaluation.input_bytes_max', 'policy.evaluation.memory_pages_max'],
    fault: 'contradict: the memory must be able to hold an input',
    holds: ({ policy: { evaluation } }) =>
      evaluation.input_bytes_max > evaluation.memory_pages_max * WASM_PAGE_BYTES,
  },
  {
    names: ['guard.arguments_bytes_max', 'policy.evaluation.input_bytes_max'],
    fault: 'contradict: the input of the policy must be able to hold the arguments',
    holds: ({ guard, policy, decision_point }) =>
      decision_point.embedded && guard.arguments_bytes_max >= policy.evaluation.input_bytes_max,
  },
  {
    names: ['guard.arguments_bytes_max', 'pdp.body_bytes_max'],
    fault: 'contradict: a request must be able to hold the arguments',
    holds: ({ guard, pdp, decision_point }) =>
      decision_point.embedded && guard.arguments_bytes_max >= pdp.body_bytes_max,
  },
  {
    names: ['guard.catalogue_items_max', 'pdp.batch_items_max'],
    fault: 'contradict: a request must be able to hold the list of the tools',
    holds: ({ guard, pdp, decision_point }) =>
      decision_point.embedded && guard.catalogue_items_max > pdp.batch_items_max,
  },
  {
    names: ['evidence.linger_us_max', 'decision_point.timeout_ms'],
    fault: 'contradict: an answer may not wait for others longer than it may take',
    holds: ({ evidence, decision_point: at }) =>
      at.embedded && evidence.linger_us_max >= at.timeout_ms * 1000,
  },
  {
    names: ['policy.remote.timeout_ms', 'decision_point.timeout_ms'],
    fault: 'contradict: a decision can take two answers of the policy server',
    holds: ({ policy, decision_point: at }) =>
      at.embedded && isRemote(policy) && policy.remote.timeout_ms * 2 >= at.timeout_ms,
  },
  {
    names: ['guard.identity.jwt.issuer', 'guard.identity.resource.url'],
    fault: 'must be given together: a token is made for one resource',
    holds: ({ guard: { identity } }) =>
      (identity.jwt.issuer === null) !== (identity.resource.url === null),
  },
  {
    names: ['guard.identity.jwt.jwks_url', 'guard.identity.jwt.jwks_file'],
    fault: 'cannot both be given',
    holds: ({ guard: { identity } }) =>
      identity.jwt.jwks_url !== null && identity.jwt.jwks_file !== null,
  },
  {
    names: ['guard.identity.jwt.issuer', 'guard.identity.jwt.jwks_url'],
    fault: 'must be given together, or `guard.identity.jwt.jwks_file` in place of the second',
    holds: ({ guard: { identity } }) =>
      (identity.jwt.issuer === null) !==
      (identity.jwt.jwks_url === null && identity.jwt.jwks_file === null),
  },
  {
    names: ['guard.identity.jwt.revoked_file', 'guard.identity.jwt.issuer'],
    fault: 'must be given together',
    holds: ({ guard: { identity } }) =>
      identity.jwt.revoked_file !== null && identity.jwt.issuer === null,
  },
  {
    names: ['guard.identity.jwt.jwks_fresh_seconds_max', 'guard.identity.jwt.jwks_age_seconds_max'],
    fault: 'contradict: keys would be too old before they are fetched again',
    holds: ({ guard: { identity } }) =>
      identity.jwt.jwks_fresh_seconds_max > identity.jwt.jwks_age_seconds_max,
  },
  {
    names: ['guard.identity.jwt.jwks_cooldown_ms', 'guard.identity.jwt.jwks_age_seconds_max'],
    fault: 'contradict: keys would be too old before they may be fetched again',
    holds: ({ guard: { identity } }) =>
      identity.jwt.jwks_cooldown_ms >= identity.jwt.jwks_age_seconds_max * 1000,
  },
  ...EXPORT_CONTRADICTIONS,
];

function isWithoutBundle({ backend, bundle, tenants }: Configuration['policy']): boolean {
  return backend === 'wasm' && bundle === null && tenants === null;
}
