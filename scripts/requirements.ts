/** `npm run requirements`: what the tests prove of the manifest; with --json for machines. */
import { readManifest, scanTests } from './requirement_scan.ts';

const manifest = readManifest();
const citations = scanTests();
const cited = new Set(citations.map(({ id }) => id));
const proven = manifest.filter(({ id }) => cited.has(id));
const unproven = manifest.filter(({ id }) => !cited.has(id));
const ids = (rows: typeof manifest): string[] => rows.map(({ id }) => id);

if (process.argv.includes('--json')) {
  const answer = { total: manifest.length, proven: ids(proven), unproven: ids(unproven) };
  console.log(JSON.stringify(answer));
} else {
  for (const { id, text } of proven) {
    console.log(`${id} ${text}`);
    for (const { path, title } of citations.filter((citation) => citation.id === id)) {
      console.log(`     ${path}: ${title}`);
    }
  }
  console.log(`\nnot proved by a test: ${ids(unproven).join(' ')}`);
  console.log(`${proven.length} of ${manifest.length} requirements are proved`);
}
