/** A process of its own that indexes a log: `node index_process.ts <directory> <index>`. */
import { randomBytes } from 'node:crypto';
import { EvidenceIndex } from '../../../src/evidence/index/evidence_index.ts';

const [directory = '', path = ''] = process.argv.slice(2);
const index = new EvidenceIndex({ directory, path, newKey: () => randomBytes(32) });
process.stdout.write('open\n');
await index.catchUp();
await index.close();
