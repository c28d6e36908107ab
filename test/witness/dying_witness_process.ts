/**
 * A witness of its own: `node dying_witness_process.ts <state> <key of the log> <own key> <moment>`
 * prints its URL and kills itself when it has `stored`, or when it would, which is `unstored`.
 */
import { writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../../src/telemetry/logger.ts';
import { ED25519, parseVerifierKey } from '../../src/verify/key.ts';
import { openCosigner, type Cosigner } from '../../src/witness/cosigner.ts';
import { createWitnessServer } from '../../src/witness/service.ts';
import { openWitnessState } from '../../src/witness/state.ts';
import { Witness } from '../../src/witness/witness.ts';

const [folder = '', vkey = '', key = '', moment = ''] = process.argv.slice(2);
const nothing = (): void => {};
const log: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => log,
};
const die = (): void => void process.kill(process.pid, 'SIGKILL');
const state = openWitnessState(folder);
const witness = new Witness({
  logs: [parseVerifierKey(vkey, [ED25519])],
  cosigner: openCosigner(key) as Cosigner,
  state: {
    ...state,
    store(origin, note) {
      if (moment === 'unstored') die();
      state.store(origin, note);
      die();
    },
  },
  clock: { now_ms: () => Date.now() },
  log,
});
const server = createWitnessServer(witness, log);
server.listen(0, '127.0.0.1', () => {
  writeSync(1, `http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
