/** A spool on a disk that fails when told, and a decision point that records what it is sent. */
import type { OutcomeBatch, OutcomeReport, Unreported } from '../../src/contract/types.gen.ts';
import { Outcomes, type OutcomeSettings } from '../../src/outcomes/outcomes.ts';
import { openSpool, type Spool } from '../../src/outcomes/spool.ts';
import { LogLines } from '../pep/support/parts.ts';
import { fakeDisk, type FakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';

export const DIRECTORY = '/outcomes/1';

const SETTINGS: OutcomeSettings = {
  outcomes_spool_bytes_max: 65_536,
  outcomes_required: true,
  outcomes_retry_ms_max: 100,
  outcomes_drain_timeout_ms: 1_000,
};

export const reportOf = (number: number, more: Partial<OutcomeReport> = {}): OutcomeReport => ({
  evaluation_id: `e-${number}`,
  status: 'executed',
  ...more,
});

export const newDisk = (seed = 1): FakeDisk => fakeDisk(seededRandom(seed));

let ids = 0;
const random = { id: () => `id-${(ids += 1)}` };

export function open(files: FakeDisk, bytes_max = 65_536): Promise<Spool> {
  return openSpool({ directory: DIRECTORY, files, random, bytes_max });
}

/** Everything that waits, as it would be sent. */
export async function readAll(spool: Spool): Promise<(string | Unreported)[]> {
  const read: (string | Unreported)[] = [];
  for (let batch = await spool.next(10); batch; batch = await spool.next(10)) {
    for (const kept of batch.kept) {
      read.push('report' in kept ? kept.report.evaluation_id : kept.unreported);
    }
    spool.acknowledge(batch);
  }
  return read;
}

/** What the disk holds of a file, and the way to change it behind the spool's back. */
export async function textOf(files: FakeDisk, name: string): Promise<string> {
  const file = files.open(`${DIRECTORY}/${name}`, 'read');
  const bytes = Buffer.alloc(file.size_bytes());
  await file.read(bytes, 0);
  file.close();
  return bytes.toString();
}

export function overwrite(files: FakeDisk, name: string, text: string): void {
  const file = files.open(`${DIRECTORY}/${name}`, 'write');
  file.truncate(0);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += file.write(bytes.subarray(at), at));
  file.close();
}

export class DecisionService {
  readonly batches: OutcomeBatch[] = [];
  /** What it says to a batch; throws where it does not take it. */
  answer: (batch: OutcomeBatch) => void | Promise<void> = () => undefined;
  #changed = Promise.withResolvers<void>();

  send = async (batch: OutcomeBatch): Promise<void> => {
    try {
      await this.answer(batch);
      this.batches.push(batch);
    } finally {
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  };

  get reported(): string[] {
    return this.batches.flatMap(({ outcomes }) => outcomes.map((each) => each.evaluation_id));
  }

  get unreported(): Unreported[] {
    return this.batches.flatMap(({ unreported = [] }) => unreported);
  }

  /** Resolves when it was asked and this holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#changed.promise;
  }
}

export interface Guarded {
  outcomes: Outcomes;
  spool: Spool;
  service: DecisionService;
  log: LogLines;
}

export async function keeping(
  files: FakeDisk,
  settings: Partial<OutcomeSettings> = {},
  service = new DecisionService(),
): Promise<Guarded> {
  const all = { ...SETTINGS, ...settings };
  const spool = await open(files, all.outcomes_spool_bytes_max);
  const log = new LogLines();
  const { send } = service;
  const outcomes = new Outcomes({ spool, send, settings: all, random, log });
  return { outcomes, spool, service, log };
}
