/** Each limit of the settings, tried just below, at and just above it. */
import { describe, expect, test } from '@jest/globals';
import { SETTINGS, hasType } from '../../src/config/settings.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import * as decisionPoint from './limits/decision_point.ts';
import * as evidence from './limits/evidence.ts';
import * as exports from './limits/exports.ts';
import * as guard from './limits/guard.ts';
import * as jwt from './limits/jwt.ts';
import * as outcomes from './limits/outcomes.ts';
import * as pdp from './limits/pdp.ts';
import * as policy from './limits/policy.ts';
import * as policyServer from './limits/policy_server.ts';
import * as reading from './limits/reading.ts';
import * as refusals from './limits/refusals.ts';
import * as turnedAway from './limits/turned_away.ts';
import * as tasks from './limits/tasks.ts';
import * as toolchain from './limits/toolchain.ts';
import { TAKEN, type Probe, type TimeProbe } from './limits/probe.ts';
import * as wrap from './limits/wrap.ts';

const refused = (above: string): Probe => ({ below: TAKEN, at: TAKEN, above });
const status = (above: string): Probe => ({ below: '200', at: '200', above });

const LIMITS: Record<string, { run: () => Promise<Probe>; expected: Probe }> = {
  instances_max: { run: decisionPoint.instances, expected: refused('EVIDENCE_LOCKED') },
  'policy.archive_bytes_max': { run: policy.archiveBytes, expected: refused('BUNDLE_INVALID') },
  'policy.unpacked_bytes_max': { run: policy.unpackedBytes, expected: refused('BUNDLE_INVALID') },
  'policy.files_max': { run: policy.files, expected: refused('BUNDLE_INVALID') },
  'policy.age_seconds_max': { run: policy.age, expected: refused('POLICY_ABSENT') },
  'policy.tenants_max': { run: policy.tenants, expected: refused('POLICY_ABSENT') },
  'policy.evaluation.input_bytes_max': {
    run: policy.inputBytes,
    expected: refused('REQUEST_TOO_LARGE'),
  },
  'policy.evaluation.evaluations_per_instance_max': {
    run: policy.evaluationsPerInstance,
    expected: { below: 'kept', at: 'replaced', above: 'replaced' },
  },
  'policy.evaluation.memory_pages_max': {
    run: policy.memoryPages,
    expected: refused('ENGINE_UNSUITED'),
  },
  'policy.remote.response_bytes_max': {
    run: policyServer.responseBytes,
    expected: refused('BACKEND_UNREACHABLE'),
  },
  'policy.remote.connections_max': {
    run: policyServer.connections,
    expected: { below: '1 of 1', at: '2 of 2', above: '2 of 3' },
  },
  'policy.remote.batch_items_max': {
    run: policyServer.batchItems,
    expected: { below: '1 requests', at: '1 requests', above: '2 requests' },
  },
  'policy.remote.silence_ms_max': {
    run: policyServer.silence,
    expected: refused('POLICY_ABSENT'),
  },
  'pdp.header_bytes_max': { run: pdp.headerBytes, expected: status('431') },
  'pdp.body_bytes_max': { run: pdp.bodyBytes, expected: status('413') },
  'pdp.batch_items_max': { run: pdp.batchItems, expected: refused('REQUEST_TOO_LARGE') },
  'pdp.batch_bytes_max': { run: pdp.batchBytes, expected: refused('REQUEST_TOO_LARGE') },
  'pdp.signed_requests_max': { run: pdp.signedRequests, expected: status('401') },
  'pdp.signature_age_seconds_max': { run: pdp.signatureAge, expected: status('401') },
  'pdp.requests_in_flight_max': { run: pdp.requestsInFlight, expected: status('503') },
  'pdp.evidence_requests_in_flight_max': {
    run: reading.requestsInFlight,
    expected: { below: '200, and 200', at: '200, and 200', above: '503, and 200' },
  },
  'pdp.evidence_page_records_max': { run: reading.pageRecords, expected: status('400') },
  'pdp.evidence_page_bytes_max': {
    run: reading.pageBytes,
    expected: { below: '2 records', at: '2 records', above: '1 records' },
  },
  'pdp.connections_max': { run: pdp.connections, expected: status('dropped') },
  'evidence.linger_us_max': {
    run: evidence.linger,
    expected: { below: '49 of 50', at: '50 of 50', above: '50 of 50' },
  },
  'evidence.segment_bytes_max': {
    run: evidence.segmentBytes,
    expected: { below: '1 files', at: '1 files', above: '2 files' },
  },
  'evidence.queue_records_max': {
    run: evidence.queueRecords,
    expected: refused('EVIDENCE_UNWRITABLE'),
  },
  'evidence.record_bytes_max': {
    run: evidence.recordBytes,
    expected: refused('REQUEST_TOO_LARGE'),
  },
  'evidence.exports[].batch_records_max': {
    run: exports.batchRecords,
    expected: { below: '1 batches', at: '1 batches', above: '2 batches' },
  },
  'evidence.exports[].batch_bytes_max': {
    run: exports.batchBytes,
    expected: { below: '1 batches', at: '1 batches', above: '2 batches' },
  },
  'evidence.exports[].lag_records_max': {
    run: exports.lagRecords,
    expected: refused('EVIDENCE_UNWRITABLE'),
  },
  'evidence.exports[].file_bytes_max': {
    run: exports.fileBytes,
    expected: { below: '1 files', at: '2 files', above: '2 files' },
  },
  'evidence.exports[].files_max': {
    run: exports.filesKept,
    expected: { below: '2 files', at: '3 files', above: '3 files' },
  },
  'evidence.outcome_memory_records_max': {
    run: outcomes.memory,
    expected: { below: 'known', at: 'known', above: 'forgotten' },
  },
  'guard.outcomes_spool_bytes_max': {
    run: outcomes.spoolBytes,
    expected: refused('OUTCOMES_UNWRITABLE'),
  },
  'evidence.disclosures_kept_days': {
    run: evidence.disclosuresKept,
    expected: { below: 'kept', at: 'kept', above: 'removed' },
  },
  'decision_point.answer_bytes_max': {
    run: decisionPoint.answerBytes,
    expected: refused('DECISION_POINT_UNREACHABLE'),
  },
  'decision_point.connections_max': {
    run: decisionPoint.connections,
    expected: { below: '1 of 1', at: '2 of 2', above: '2 of 3' },
  },
  'guard.identity.clock_skew_seconds_max': { run: guard.clockSkew, expected: refused('nobody') },
  'guard.identity.jwt.token_bytes_max': {
    run: jwt.tokenBytes,
    expected: refused('TOKEN_TOO_LARGE'),
  },
  'guard.identity.jwt.jwks_bytes_max': {
    run: jwt.jwksBytes,
    expected: refused('KEYS_UNAVAILABLE'),
  },
  'guard.identity.jwt.revoked_bytes_max': {
    run: jwt.revokedBytes,
    expected: refused('REVOCATIONS_UNAVAILABLE'),
  },
  'guard.identity.jwt.jwks_fresh_seconds_max': {
    run: jwt.jwksFresh,
    expected: { below: 'fetched 1 times', at: 'fetched 2 times', above: 'fetched 2 times' },
  },
  'guard.identity.jwt.jwks_age_seconds_max': {
    run: jwt.jwksAge,
    expected: { below: TAKEN, at: 'KEYS_UNAVAILABLE', above: 'KEYS_UNAVAILABLE' },
  },
  'guard.identity.jwt.jwks_cooldown_ms': {
    run: jwt.jwksCooldown,
    expected: { below: 'fetched 1 times', at: 'fetched 2 times', above: 'fetched 2 times' },
  },
  'guard.catalogue_items_max': {
    run: guard.catalogueItems,
    expected: refused('POLICY_UNAVAILABLE'),
  },
  'guard.result_bytes_max': { run: guard.resultBytes, expected: refused('RESULT_WITHHELD') },
  'guard.arguments_bytes_max': {
    run: guard.argumentsBytes,
    expected: refused('ARGUMENTS_TOO_LARGE'),
  },
  'guard.requests_in_flight_max': {
    run: guard.requestsInFlight,
    expected: refused('POLICY_UNAVAILABLE'),
  },
  'guard.subscriptions_max': {
    run: guard.subscriptions,
    expected: { below: 'heard', at: 'heard', above: 'left out' },
  },
  'guard.refusal_memory_ms': {
    run: refusals.time,
    expected: { below: 'from memory', at: 'decided', above: 'decided' },
  },
  'guard.refusals_max': {
    run: refusals.all,
    expected: { below: 'from memory', at: 'from memory', above: 'decided' },
  },
  'guard.turned_away_interval_ms': {
    run: turnedAway.interval,
    expected: { below: 'counted', at: 'told', above: 'told' },
  },
  'guard.tenants_max': {
    run: guard.tenants,
    expected: { below: 'watched', at: 'watched', above: 'made room' },
  },
  'guard.tasks_max': { run: tasks.all, expected: refused('refused') },
  'guard.tasks_per_principal_max': { run: tasks.ofOne, expected: refused('refused') },
  'guard.task_ttl_ms_max': {
    run: tasks.ttl,
    expected: { below: 'known', at: 'forgotten', above: 'forgotten' },
  },
  'guard.request_state_ttl_seconds': {
    run: guard.requestStateTtl,
    expected: refused('invalid_request_state'),
  },
  'guard.list_ttl_ms_max': {
    run: guard.listTtl,
    expected: { below: '99 ms', at: '100 ms', above: '100 ms' },
  },
  'guard.http.body_bytes_max': { run: guard.httpBodyBytes, expected: status('413') },
  'guard.http.sessions_max': { run: guard.httpSessions, expected: status('503') },
  'guard.http.session_idle_ms': {
    run: guard.sessionIdle,
    expected: { below: '503', at: '503', above: '200' },
  },
  'toolchain.output_bytes_max': {
    run: toolchain.outputBytes,
    expected: refused('TOOLCHAIN_ABSENT'),
  },
  'wrap.message_bytes_max': { run: wrap.messageBytes, expected: refused('too_large') },
};

const TIMES: Record<string, { run: () => Promise<TimeProbe>; expected: TimeProbe }> = {
  'pdp.request_timeout_ms': { run: pdp.requestTimeout, expected: { soon: '200', never: '408' } },
  'pdp.idle_timeout_ms': { run: pdp.idleTimeout, expected: { soon: '200', never: '' } },
  'pdp.drain_timeout_ms': { run: pdp.drainTimeout, expected: { soon: '200', never: 'cut off' } },
  'pdp.evidence_timeout_ms': {
    run: reading.timeout,
    expected: { soon: TAKEN, never: 'OVERLOADED' },
  },
  'decision_point.timeout_ms': {
    run: decisionPoint.timeout,
    expected: { soon: TAKEN, never: 'DECISION_POINT_UNREACHABLE' },
  },
  'guard.identity.jwt.jwks_timeout_ms': {
    run: jwt.jwksTimeout,
    expected: { soon: TAKEN, never: 'KEYS_UNAVAILABLE' },
  },
  'policy.remote.timeout_ms': {
    run: policyServer.timeout,
    expected: { soon: TAKEN, never: 'BACKEND_UNREACHABLE' },
  },
  'evidence.exports[].timeout_ms': {
    run: exports.timeout,
    expected: { soon: TAKEN, never: 'UPSTREAM_FAILED' },
  },
  'guard.outcomes_drain_timeout_ms': {
    run: outcomes.drainTimeout,
    expected: { soon: TAKEN, never: 'left for the next start' },
  },
  'guard.cancelled_timeout_ms': {
    run: guard.cancelledTimeout,
    expected: { soon: 'POLICY_UNAVAILABLE', never: TAKEN },
  },
  'guard.catalogue_timeout_ms': {
    run: guard.catalogueTimeout,
    expected: { soon: TAKEN, never: 'POLICY_UNAVAILABLE' },
  },
  'toolchain.run_timeout_ms': {
    run: toolchain.runTimeout,
    expected: { soon: TAKEN, never: 'TOOLCHAIN_ABSENT' },
  },
  'toolchain.setup_timeout_ms': {
    run: toolchain.setupTimeout,
    expected: { soon: TAKEN, never: 'TOOLCHAIN_ABSENT' },
  },
  'wrap.drain_timeout_ms': {
    run: wrap.drainTimeout,
    expected: { soon: TAKEN, never: 'The connection ended' },
  },
  'wrap.stop_grace_ms': {
    run: wrap.stopGrace,
    expected: { soon: 'with code 0', never: 'by signal SIGKILL' },
  },
};

/** How often something is looked at: these bound nothing. */
const PERIODS = [
  ...exports.PERIODS,
  'policy.reload_interval_ms',
  'evidence.checkpoint_interval_ms',
  'policy.remote.poll_interval_ms',
  'decision_point.watch_interval_ms',
  'guard.outcomes_retry_ms_max',
];

test('[O-04] every number among the settings is a limit tried here, or a period', () => {
  const all = SETTINGS.flatMap((setting) => [setting, ...setting.rule.members]);
  const numbers = all.filter(({ rule }) => hasType(rule, 'integer')).map(({ name }) => name);
  const tried = [...Object.keys(LIMITS), ...Object.keys(TIMES), ...PERIODS];
  expect(tried.toSorted()).toEqual(numbers.toSorted());
});

describeWithOpa('a limit', () => {
  test.each(Object.entries(LIMITS))('%s', async (_name, { run, expected }) => {
    expect(await run()).toEqual(expected);
  });
});

describe('a limit of time', () => {
  test.each(Object.entries(TIMES))('%s', async (_name, { run, expected }) => {
    expect(await run()).toEqual(expected);
  });
});
