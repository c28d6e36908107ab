/** The parts of a guard under test. */
import type { LogFields, Logger } from '../../../src/telemetry/logger.ts';
import type { GuardParts, GuardSettings } from '../../../src/pep/settings.ts';
import { ScriptedDecisionPoint, type Script } from './scripted.ts';

const SETTINGS: GuardSettings = {
  server: 'payments',
  decision_timeout_ms: 5000,
  tenants_max: 8,
  denials_as_errors: false,
  catalogue_items_max: 100,
  catalogue_timeout_ms: 5000,
  arguments_bytes_max: 16_384,
  result_bytes_max: 65_536,
  requests_in_flight_max: 16,
  cancelled_timeout_ms: 30_000,
  subscriptions_max: 16,
  refusal_memory_ms: 0,
  refusals_max: 16,
  turned_away_interval_ms: 60_000,
  tasks_max: 16,
  tasks_per_principal_max: 8,
  task_ttl_ms_max: 3_600_000,
  list_ttl_ms_max: 0,
  request_state_ttl_seconds: 60,
  audit_events: false,
  http: { body_bytes_max: 65_536, sessions_max: 4, session_idle_ms: 60_000 },
};

export const ALICE = {
  subject: {
    type: 'identity' as const,
    id: 'user:alice@example.com',
    properties: { actor_type: 'human' as const, groups: ['tellers'] },
  },
  environment: { deployment: 'production' },
};

export class LogLines implements Logger {
  readonly lines: { level: string; message: string; fields: LogFields | undefined }[] = [];

  debug = (message: string, fields?: LogFields) => this.#add('debug', message, fields);
  info = (message: string, fields?: LogFields) => this.#add('info', message, fields);
  warn = (message: string, fields?: LogFields) => this.#add('warn', message, fields);
  error = (message: string, fields?: LogFields) => this.#add('error', message, fields);

  child(): Logger {
    return this;
  }

  of(level: string): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  #add(level: string, message: string, fields: LogFields | undefined): void {
    this.lines.push({ level, message, fields });
  }
}

export interface TestParts extends GuardParts {
  decisionPoint: ScriptedDecisionPoint;
  log: LogLines;
}

export function testParts(
  script: Script = {},
  settings: Partial<GuardSettings> = {},
  others: Partial<Pick<GuardParts, 'identity'>> = {},
): TestParts {
  let ids = 0;
  return {
    decisionPoint: new ScriptedDecisionPoint(script),
    identity: () => ALICE,
    settings: { ...SETTINGS, ...settings },
    log: new LogLines(),
    clock: { now_ms: () => Date.parse('2026-11-20T08:00:00Z') },
    random: {
      id: () => {
        ids += 1;
        return `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`;
      },
    },
    digestKey: { id: 'k1', secret: new Uint8Array(32) },
    ...others,
  };
}
