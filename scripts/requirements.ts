/** `npm run requirements`: what the tests prove of the manifest; with --json for machines. */
import { readOptions } from './options.ts';
import { readManifest, scanTests } from './requirement_scan.ts';

const USAGE = `Usage: npm run requirements -- [options]

Says which requirements the tests prove, by which test, and which are not proved.

  --json   print {"total", "proven", "unproven"}
  --help   show this`;

const { values } = readOptions(USAGE, { json: { type: 'boolean', default: false } });
const manifest = readManifest();
const citations = scanTests();
const cited = new Set(citations.map(({ id }) => id));
const proven = manifest.filter(({ id }) => cited.has(id));
const unproven = manifest.filter(({ id }) => !cited.has(id));
const ids = (rows: typeof manifest): string[] => rows.map(({ id }) => id);

if (values.json) {
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
