/** Whether a folder that somebody named is that of a log. */
import { readdirSync, type Dirent } from 'node:fs';
import { systemReason } from '../../contract/system_reason.ts';
import { PortcullisError } from '../../errors.ts';

/** Somebody may name anything; whoever reads a pipe waits for its writer. */
export function requireLog(directory: string): void {
  const odd = entriesOf(directory).find(
    (entry) => /^checkpoint$|^keys$|\.log$/.test(entry.name) && !entry.isFile(),
  );
  if (!odd) return;
  const message = `\`${odd.name}\` in \`${directory}\` is no file, so that is no log`;
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    const message = `the log in \`${directory}\` cannot be read: ${systemReason(cause)}`;
    throw new PortcullisError('ARGUMENT_INVALID', message, { cause });
  }
}
