/** The text that proves a record to somebody who has nothing but a public key (C2SP tlog-proof). */

export function formatProof(
  index: number,
  path: readonly Uint8Array[],
  checkpoint_note: string,
): string {
  const hashes = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `c2sp.org/tlog-proof@v1\nindex ${index}\n${hashes.join('')}\n${checkpoint_note}`;
}
