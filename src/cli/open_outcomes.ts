/** Opens the folders in which a guard keeps outcomes: its own, and those that nobody empties. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Configuration } from '../config/types.gen.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import type { RemoteDecisionPoint } from '../decision/remote/remote_decision_point.ts';
import { PortcullisError } from '../errors.ts';
import { nodeFiles } from '../evidence/files.ts';
import { Outcomes } from '../outcomes/outcomes.ts';
import { openSpool, unwritable, type Spool } from '../outcomes/spool.ts';
import type { Logger } from '../telemetry/logger.ts';
import { RANDOM } from './ambient.ts';

/**
 * Each process of a server has a numbered folder, the first that no other one uses. Rejects with
 * `OUTCOMES_UNWRITABLE`.
 */
export async function openOutcomes(
  { guard, instances_max }: Configuration,
  point: RemoteDecisionPoint,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<Outcomes> {
  const directory = guard.outcomes_directory;
  const spools = new Spools(directory, guard.outcomes_spool_bytes_max, log);
  const begin = (spool: Spool): Outcomes => {
    const send = (batch: Parameters<typeof point.deliver>[0]) => point.deliver(batch);
    const outcomes = new Outcomes({ spool, send, settings: guard, random: RANDOM, log });
    opened.defer(() => outcomes.close());
    return outcomes;
  };
  const own = begin(await spools.openFree(instances_max));
  for (const left of await spools.openLeft()) {
    const outcomes = begin(left);
    outcomes.delivered.then(() => outcomes.close()).catch(() => undefined);
  }
  return own;
}

class Spools {
  readonly #directory: string;
  readonly #bytes_max: number;
  readonly #log: Logger;
  #own = 0;

  constructor(directory: string, bytes_max: number, log: Logger) {
    this.#directory = directory;
    this.#bytes_max = bytes_max;
    this.#log = log;
  }

  async openFree(instances_max: number): Promise<Spool> {
    for (let number = 1; number <= instances_max; number += 1) {
      this.#own = number;
      const spool = await this.#open(number);
      if (spool) return spool;
    }
    throw unwritable(`${instances_max} processes keep outcomes in \`${this.#directory}\` already`);
  }

  /** What other processes of this server left that have gone. */
  async openLeft(): Promise<Spool[]> {
    const left: Spool[] = [];
    for (const name of readdirSync(this.#directory)) {
      if (!/^[1-9]\d{0,3}$/.test(name) || Number(name) === this.#own) continue;
      const spool = await this.#open(Number(name)).catch(() => undefined);
      if (spool?.waiting === 0) await spool.close();
      else if (spool) left.push(spool);
    }
    return left;
  }

  /** Undefined where another process writes there. */
  async #open(number: number): Promise<Spool | undefined> {
    const directory = join(this.#directory, String(number));
    try {
      this.#requireTrusted(directory);
      const options = { directory, files: nodeFiles, random: RANDOM, bytes_max: this.#bytes_max };
      const spool = await openSpool(options);
      this.#tell(directory, spool);
      return spool;
    } catch (error) {
      if (!(error instanceof PortcullisError)) {
        throw unwritable(`outcomes cannot be kept in \`${directory}\``, error);
      }
      if (error.code === 'EVIDENCE_LOCKED') return undefined;
      throw error;
    }
  }

  /** Whoever can write there could say what this guard did. */
  #requireTrusted(directory: string): void {
    for (const folder of [this.#directory, directory]) {
      const fault = existsSync(folder) ? findPathFault(folder) : undefined;
      if (fault !== undefined) throw unwritable(`outcomes are not kept: ${fault}`);
    }
  }

  #tell(directory: string, { dropped_bytes, waiting }: Spool): void {
    if (dropped_bytes > 0) {
      this.#log.warn('a torn end of kept outcomes was cut off', { directory, dropped_bytes });
    }
    if (waiting > 0) this.#log.info('outcomes of an earlier start wait', { directory, waiting });
  }
}
