/** Opens the evidence log with the keys that sign its checkpoints. */
import { randomBytes } from 'node:crypto';
import type { Configuration } from '../config/types.gen.ts';
import { nodeFiles } from '../evidence/files.ts';
import { openEvidenceLog } from '../evidence/log.ts';
import {
  ED25519_BYTES,
  type NoteSigner,
  formatSigner,
  parseSigner,
} from '../evidence/tree/note.ts';
import type { ProvableLog } from '../evidence/types.ts';
import {
  type PrivateFile,
  ensurePrivateFile,
  privateFileFault,
  readPrivateFile,
} from '../pdp/private_file.ts';
import type { Logger } from '../telemetry/logger.ts';
import { CLOCK, RANDOM_BYTES } from './ambient.ts';

/** Throws `CONFIGURATION_INVALID` for the key file, else as `openEvidenceLog` does. */
export async function openEvidence(
  { evidence, instance }: Configuration,
  log: Logger,
): Promise<ProvableLog> {
  const { directory, origin, key_file, exports: _exports, ...settings } = evidence;
  const signers = (): NoteSigner[] => openSigners(key_file, origin);
  const parts = { directory, instance, origin, signers, settings };
  const ambient = { clock: CLOCK, randomness: RANDOM_BYTES, files: nodeFiles };
  return openEvidenceLog({ ...parts, ...ambient, log });
}

/** The keys of a file, one on each line; a file that is not there is made with a new one. */
function openSigners(path: string, origin: string): NoteSigner[] {
  const file: PrivateFile = { path, what: 'evidence key file' };
  ensurePrivateFile(file, () => `${formatSigner(origin, randomBytes(ED25519_BYTES))}\n`);
  const lines = Buffer.from(readPrivateFile(file)).toString('utf8').trimEnd().split('\n');
  return lines.map((line, at) => {
    const signer = parseSigner(line);
    if (!signer) throw privateFileFault(file, `cannot be used: line ${at + 1} is no key; ${SHAPE}`);
    const { name } = signer.verifier;
    if (name === origin) return signer;
    const fault = `is for the log \`${name}\`, and evidence.origin is \`${origin}\``;
    throw privateFileFault(file, `cannot be used: it ${fault}`);
  });
}

const SHAPE =
  'move it away, and the next start makes a new one; earlier records stay proved by the old one';
