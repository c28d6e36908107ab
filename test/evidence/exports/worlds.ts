/** Each driver with its receiver, as the shared suite sees them. */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openReceiver as openHttp } from '../../../src/cli/export_receiver.ts';
import { jsonLines } from '../../../src/evidence/exports/jsonl/driver.ts';
import { opaDecisionLog } from '../../../src/evidence/exports/opa_decision_log/driver.ts';
import { otelLogs } from '../../../src/evidence/exports/otel_logs/driver.ts';
import type { HttpReceiver } from '../../../src/evidence/exports/receiver.ts';
import type { ExportDriver } from '../../../src/evidence/exports/types.ts';
import { type EvidenceFiles, nodeFiles } from '../../../src/evidence/files.ts';
import { ORIGIN, temporaryDirectory } from '../../support/evidence_log.ts';
import { openReceiver, type Posted } from './receiver.ts';

export interface Received {
  index: number;
  evaluation_id: string;
}

export interface World {
  /** A driver that sends to the receiver; it may be opened again after a close. */
  open(): Promise<ExportDriver>;
  /** What the receiver holds, in the order in which it came. */
  received(): Received[];
  /** Nobody takes anything, until it is back. */
  away(): Promise<void>;
  back(): Promise<void>;
  /** The next batch is taken, and whoever sent it never learns of it. */
  loseAnswer(): void;
  /** A batch that is sent again takes the place of what came of it before. */
  rewrites?: true;
  /** What is sent from now on gets no answer; the return lets it. */
  hang(): () => void;
  /** A batch with this record is refused; undefined where no receiver does so. */
  poison?(index: number): void;
  close(): Promise<void>;
}

export const NAMES = { instance: 'one', version: '0.1.0', origin: ORIGIN };
const CLOCK = { now_ms: () => Date.UTC(2027, 0, 1) };

/** Of settings of the configuration, those that a test leaves as they are. */
export const PLAIN = { token_file: null, headers_file: null, ca_file: null, timeout_ms: 2000 };

async function httpWorld(
  open: (receiver: HttpReceiver) => ExportDriver,
  read: (posted: Posted) => Received[],
): Promise<World> {
  const receiver = await openReceiver();
  return {
    open: async () => open(openHttp({ ...PLAIN, url: receiver.url })),
    received: () => receiver.taken.flatMap(read),
    away: receiver.away,
    back: receiver.back,
    loseAnswer() {
      receiver.act((response, posted) => {
        receiver.act(undefined);
        receiver.taken.push(posted);
        response.socket?.destroy();
        return true;
      });
    },
    hang() {
      receiver.act(() => true);
      return () => receiver.act(undefined);
    },
    poison(index) {
      receiver.act((response, posted) => {
        if (!read(posted).some((each) => each.index === index)) return false;
        response.writeHead(400).end();
        return true;
      });
    },
    close: receiver.away,
  };
}

interface OpaEvent {
  decision_id: string;
  labels: { evidence_index: string };
}

const readOpa = ({ body }: Posted): Received[] =>
  (body as OpaEvent[]).map(({ labels, decision_id }) => ({
    index: Number(labels.evidence_index),
    evaluation_id: decision_id,
  }));

interface OtelAttribute {
  key: string;
  value: { stringValue: string; intValue: string };
}

interface OtelBody {
  resourceLogs: { scopeLogs: { logRecords: { attributes: OtelAttribute[] }[] }[] }[];
}

const readOtel = ({ body }: Posted): Received[] =>
  (body as OtelBody).resourceLogs[0]!.scopeLogs[0]!.logRecords.map(({ attributes }) => {
    const valueOf = (name: string) => attributes.find(({ key }) => key === name)?.value;
    return {
      index: Number(valueOf('portcullis.index')?.intValue),
      evaluation_id: String(valueOf('portcullis.evaluation_id')?.stringValue),
    };
  });

async function fileWorld(): Promise<World> {
  const folder = join(temporaryDirectory(), 'out');
  const path = join(folder, 'evidence.jsonl');
  let flush: (() => Promise<void>) | undefined;
  const files: EvidenceFiles = {
    ...nodeFiles,
    open(name, use) {
      const file = nodeFiles.open(name, use);
      return { ...file, flush: () => file.flush().then(flush) };
    },
  };
  return {
    rewrites: true,
    open: () => jsonLines({ files, path, file_bytes_max: 65_536, files_max: 4 }),
    received() {
      const names = readdirSync(folder).filter((name) => name.startsWith('evidence.jsonl'));
      const texts = names
        .filter((name) => !name.endsWith('.lock'))
        .sort((a, b) => Number(b.split('.')[2] ?? 0) - Number(a.split('.')[2] ?? 0))
        .map((name) => readFileSync(join(folder, name), 'utf8'));
      return texts
        .join('')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Received)
        .map(({ index, evaluation_id }) => ({ index, evaluation_id }));
    },
    async away() {
      renameSync(folder, `${folder}.away`);
      writeFileSync(folder, 'in the way');
    },
    async back() {
      rmSync(folder);
      renameSync(`${folder}.away`, folder);
      mkdirSync(folder, { recursive: true });
    },
    loseAnswer() {
      flush = () => {
        flush = undefined;
        return Promise.reject(Object.assign(new Error('told to'), { code: 'EIO' }));
      };
    },
    hang() {
      let release = (): void => {};
      const held = new Promise<void>((resolve) => (release = resolve));
      flush = () => held;
      return () => {
        flush = undefined;
        release();
      };
    },
    close: async () => {},
  };
}

export const WORLDS: Readonly<Record<string, () => Promise<World>>> = {
  opa_decision_log: () =>
    httpWorld(
      (receiver) => opaDecisionLog({ ...NAMES, receiver, partition: null, clock: CLOCK }),
      readOpa,
    ),
  otel_logs: () =>
    httpWorld((receiver) => otelLogs({ ...NAMES, receiver, clock: CLOCK }), readOtel),
  jsonl: fileWorld,
};
