/** Callers that ask until the time is over, and everything that is seen meanwhile. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openClient, type Client } from './client.ts';
import { pickQuestion, toldBy, type Asked } from './questions.ts';
import type { SoakedService } from './service.ts';

export interface SoakSettings {
  seconds: number;
  callers: number;
  /** Requests offered in a second, of all callers together. */
  rate: number;
  below(limit: number): number;
  /** Called at even intervals. */
  progress(line: string): void;
}

export interface Seen {
  asked: number;
  /** Answers with status 200. */
  decided: number;
  /** Connections that were broken off on purpose, in the middle of a request. */
  broken_off: number;
  reloads: number;
  /** The first of the answers that were not right, and how many there were. */
  wrong: string[];
  wrong_count: number;
  /** What callers were told, by evaluation id. */
  told: Map<string, string>;
  rss_bytes: number[];
}

const WRONG_KEPT = 20;
const SAMPLES = 60;
const RELOADS_MIN = 6;
const RELOAD_SECONDS_MAX = 10;

export async function soak(service: SoakedService, settings: SoakSettings): Promise<Seen> {
  const seen: Seen = {
    asked: 0,
    decided: 0,
    broken_off: 0,
    reloads: 0,
    wrong: [],
    wrong_count: 0,
    told: new Map(),
    rss_bytes: [],
  };
  const started_ms = performance.now();
  const elapsed = (): number => (performance.now() - started_ms) / 1000;
  const isOver = (): boolean => elapsed() >= settings.seconds;
  const client = openClient(service.url, service.token, settings.callers);
  const every = async (seconds: number, act: () => void): Promise<void> => {
    for (let next = seconds; !isOver(); next += seconds) {
      await sleep(Math.max(0, Math.min(next, settings.seconds) - elapsed()) * 1000);
      act();
    }
  };
  const callers = Array.from({ length: settings.callers }, async () => {
    while (!isOver()) {
      const due = seen.asked / settings.rate - elapsed();
      seen.asked += 1;
      if (due > 0) await sleep(due * 1000);
      if (settings.below(50) === 0) await breakOff(service, pickQuestion(settings.below), seen);
      else await askOnce(client, pickQuestion(settings.below), seen);
    }
  });
  const reload_seconds = Math.min(RELOAD_SECONDS_MAX, settings.seconds / RELOADS_MIN);
  await Promise.all([
    ...callers,
    every(settings.seconds / SAMPLES, () => seen.rss_bytes.push(service.rssBytes())),
    every(reload_seconds, () => {
      seen.reloads += 1;
      // Each third one is none, and must leave the one before it in force.
      service.replaceData(seen.reloads, seen.reloads % 3 !== 2);
    }),
    every(settings.seconds / 10, () => settings.progress(lineOf(elapsed(), seen))),
  ]);
  await client.close();
  return seen;
}

async function askOnce(client: Client, asked: Asked, seen: Seen): Promise<void> {
  try {
    const reply = await client.ask(asked);
    const fault = asked.fault(reply);
    if (fault !== undefined) note(seen, `${asked.title}: ${fault}`);
    if (reply.status === 200) seen.decided += 1;
    for (const [id, told] of toldBy(asked, reply)) seen.told.set(id, told);
  } catch (error) {
    const { code } = error as { code?: string };
    if (!asked.may_be_cut) note(seen, `${asked.title}: no answer, ${code ?? String(error)}`);
  }
}

function note(seen: Seen, fault: string): void {
  seen.wrong_count += 1;
  if (seen.wrong.length < WRONG_KEPT) seen.wrong.push(fault);
}

/** Sends a part of a request, or a whole one, and is gone before it is answered. */
function breakOff(service: SoakedService, { path, body = '' }: Asked, seen: Seen): Promise<void> {
  const { hostname, port, host } = new URL(service.url);
  const bytes = Buffer.concat([
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${service.token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
    ),
    Buffer.from(body),
  ]);
  const part = bytes.subarray(0, Math.ceil(bytes.length / (1 + (seen.broken_off % 3))));
  seen.broken_off += 1;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(part, () => socket.destroy()),
    );
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

function lineOf(seconds: number, seen: Seen): string {
  const megabytes = Math.round((seen.rss_bytes.at(-1) ?? 0) / 1_048_576);
  return (
    `${Math.round(seconds)} s: ${seen.asked} asked, ${seen.decided} decided, ` +
    `${seen.wrong_count} wrong, ${seen.broken_off} broken off, ${seen.reloads} reloads, ` +
    `${megabytes} MiB resident`
  );
}
