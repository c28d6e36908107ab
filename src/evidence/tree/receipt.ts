/**
 * The text that proves a record to somebody who has nothing but a public key (C2SP tlog-proof). Its
 * `extra` line holds the bytes of the leaf, which the format leaves to the log.
 */
export function formatReceipt(
  record: string,
  index: number,
  path: readonly Uint8Array[],
  checkpoint_note: string,
): string {
  const extra = Buffer.from(record).toString('base64');
  const hashes = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  const head = `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex ${index}\n`;
  return `${head}${hashes.join('')}\n${checkpoint_note}`;
}
