/**
 * Loaded before the service by `--import`: each flush of file data takes BENCH_FLUSH_MS longer, as
 * on a disk without a cache that survives a power loss. A timer may be late by a millisecond.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const added_ms = Number(process.env.BENCH_FLUSH_MS);
const { fdatasync } = fs;

fs.fdatasync = ((fd: number, done: fs.NoParamCallback): void => {
  fdatasync(fd, (error) => void setTimeout(done, added_ms, error));
}) as typeof fs.fdatasync;
syncBuiltinESMExports();
