/**
 * A log that no service writes, opened by somebody who has its folder and not its key: what it
 * holds is proved as at any start, what is appended is signed by the next service that opens it.
 */
import { PortcullisError } from '../errors.ts';
import type { WriterOptions, WrittenTree } from './group_commit_log.ts';
import { openWriter } from './log.ts';
import { readRecords } from './records.ts';
import { type SignedState, originOf, readSignedState } from './tree/checkpoint.ts';
import { proveLog } from './tree/start.ts';
import { TileStore } from './tree/tile_store.ts';
import type { EvidenceLog, RedactableLog } from './types.ts';

/** Nothing is shown of it, so nothing is kept of it. */
const NO_TREE: WrittenTree = {
  append: () => {},
  makeRoom: () => Promise.resolve(),
  close: () => Promise.resolve(),
  stop: () => {},
  failure: new Promise(() => {}),
};

/**
 * Rejects as `openEvidenceLog` does, and with `ARGUMENT_INVALID` where the folder holds no log that
 * ever signed a record.
 */
export async function openStoppedLog(
  options: Omit<WriterOptions, 'instance'>,
): Promise<RedactableLog & Pick<EvidenceLog, 'close'>> {
  const { files, directory, settings } = options;
  const instance = await instanceOf(options, await signedState(options));
  return openWriter({ ...options, instance }, async () => {
    const signed = await signedState(options);
    const { checkpoint } = signed;
    const tiles = new TileStore(files, directory);
    const from_all_records = settings.prove_all_records;
    const tree = async (size: number): Promise<WrittenTree> => {
      await proveLog({ files, directory, tiles, checkpoint, size, from_all_records });
      return NO_TREE;
    };
    return { signed, tree };
  });
}

type Folder = Pick<WriterOptions, 'files' | 'directory'>;

async function signedState({ files, directory }: Folder): Promise<SignedState> {
  return readSignedState(files, directory, (await originOf(files, directory)) ?? '');
}

/** A log is of one instance: that of its last record. */
async function instanceOf(
  { files, directory }: Folder,
  { checkpoint }: SignedState,
): Promise<string> {
  const size = checkpoint?.size ?? 0;
  const from = Math.max(0, size - 1);
  for await (const { record } of readRecords(files, directory, from, size)) return record.instance;
  throw new PortcullisError('ARGUMENT_INVALID', `no log has signed a record in \`${directory}\``);
}
