/** `portcullis witness`: follows a log and cosigns what kept its past, until it is told to stop. */
import { PortcullisError } from '../errors.ts';
import { listenTcp } from '../pdp/listen.ts';
import { ensurePrivateFile, privateFileFault, readPrivateFile } from '../pdp/private_file.ts';
import { createLogger } from '../telemetry/create_logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { formatVerifierKey } from '../verify/key.ts';
import { newSigningKey, openCosigner, type Cosigner } from '../witness/cosigner.ts';
import { follow, followOnce } from '../witness/follow.ts';
import { createWitnessServer } from '../witness/service.ts';
import { openWitnessState } from '../witness/state.ts';
import { Witness } from '../witness/witness.ts';
import { CLOCK } from './ambient.ts';
import { openLogSource } from './log_source.ts';
import { faultText } from './proved_text.ts';
import { stopSignal } from './stop_signal.ts';
import { print, printJson, type Terminal } from './terminal.ts';
import { readTrust } from './trust.ts';

export interface WitnessOptions {
  /** A folder or URL. */
  log?: string;
  /** Verifier keys of logs, or files with one key a line. */
  key: readonly string[];
  keyFile: string;
  /** Of the key that is made where there is none. */
  name?: string;
  state: string;
  once?: true;
  listen?: string;
  intervalSeconds: string;
  /** Of a log that takes a token. */
  tokenFile?: string;
  json?: true;
}

export async function runWitness(options: WitnessOptions, terminal: Terminal): Promise<number> {
  const { log: place, listen, once } = options;
  if (place === undefined && (listen === undefined || once)) {
    throw invalid('name a log to follow with --log, or an address to be asked at with --listen');
  }
  const interval_ms = intervalOf(options);
  const { logs } = await readTrust({ key: options.key });
  const cosigner = openKeyFile(options);
  const log = createLogger({ level: 'info' }, terminal.stderr);
  const source = place === undefined ? undefined : openLogSource(place, options.tokenFile);
  await using opened = new AsyncDisposableStack();
  const state = openWitnessState(options.state);
  opened.defer(() => state.close());
  const witness = new Witness({ logs, cosigner, state, clock: CLOCK, log });
  if (once && source) return cosignOnce(await followOnce({ witness, source }), options, terminal);
  const stop = stopSignal(opened);
  const url = listen === undefined ? undefined : await serve(witness, listen, log, opened);
  announce(cosigner, url, options, terminal);
  const ended = new AbortController();
  const following =
    source &&
    follow(
      { witness, source },
      {
        interval_ms,
        signal: ended.signal,
        log,
        onCosigned: (note) => printNote(note, options, terminal),
      },
    );
  log.info('the witness stops', { signal: await stop });
  ended.abort();
  await following;
  return 0;
}

/** Nobody else submits meanwhile, because the state is open here and no address is. */
function cosignOnce(
  found: Awaited<ReturnType<typeof followOnce>>,
  options: WitnessOptions,
  terminal: Terminal,
): number {
  if (found.ok) printNote(found.value ?? '', options, terminal);
  else if (options.json) printJson(terminal, { cosigned: false, ...found.fault });
  else print(terminal, `not cosigned: ${faultText(found.fault)}`);
  return found.ok ? 0 : 1;
}

async function serve(
  witness: Witness,
  address: string,
  log: Logger,
  opened: AsyncDisposableStack,
): Promise<string> {
  const server = createWitnessServer(witness, log);
  const port = await listenTcp(server, address);
  opened.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://${address.replace(/:\d+$/, '')}:${port}`;
}

/** A key that is lost or changed is another witness, so it is made only where a name is given. */
function openKeyFile({ keyFile: path, name }: WitnessOptions): Cosigner {
  const file = { path, what: 'witness key file' };
  if (name !== undefined) ensurePrivateFile(file, () => newSigningKey(name));
  const cosigner = openCosigner(Buffer.from(readPrivateFile(file)).toString('utf8'));
  if (!cosigner) throw privateFileFault(file, 'holds no key of a witness');
  if (name !== undefined && cosigner.key.name !== name) {
    throw privateFileFault(file, 'holds the key of another witness than --name says');
  }
  return cosigner;
}

function announce(
  { key }: Cosigner,
  url: string | undefined,
  { json }: WitnessOptions,
  terminal: Terminal,
): void {
  const text = formatVerifierKey(key);
  if (json) printJson(terminal, { key: text, url: url ?? null });
  else {
    print(terminal, `cosigns as ${text}`);
    if (url !== undefined) print(terminal, `is asked at ${url}/add-checkpoint`);
  }
}

function printNote(note: string, { json }: WitnessOptions, terminal: Terminal): void {
  if (json) printJson(terminal, { cosigned: true, note });
  else terminal.stdout.write(note);
}

function intervalOf({ intervalSeconds }: WitnessOptions): number {
  if (!/^[1-9]\d{0,4}$/.test(intervalSeconds)) {
    throw invalid('--interval-seconds is a number from 1 to 99999');
  }
  return Number(intervalSeconds) * 1000;
}

function invalid(message: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', message);
}
