/** The tables of docs/mutation.md. */
import { AREA_NAMES } from './areas.ts';
import { readMeasured, rowOf, sum, type Survivor } from './report.ts';

const PATH = 'docs/mutation.md';

export function scoreBlock() {
  const measured = AREA_NAMES.map((name) => ({ name, ...readMeasured(name) }));
  const total = measured.flatMap(({ files }) => Object.values(files));
  return {
    path: PATH,
    name: 'scores',
    heads: ['Area or file', 'Score', 'Killed', 'Timeout', 'Survived', 'Not covered', 'Measured'],
    rows: [
      ...measured.flatMap(({ name, date, files }) => [
        [...rowOf(`**${name}**`, sum(Object.values(files))), date || 'not yet'],
        ...Object.entries(files).map(([file, counts]) => [...rowOf(`\`${file}\``, counts), '']),
      ]),
      [...rowOf('**in total**', sum(total)), ''],
    ],
  };
}

/** A table for each area: what is changed to what, and why no test is to notice. */
export function survivorBlocks() {
  return AREA_NAMES.map((name) => ({
    path: PATH,
    name: `survivors of ${name}`,
    heads: ['File', 'Change', 'Why it is accepted'],
    rows: readMeasured(name).survivors.map((survivor) => [
      `\`${survivor.file.replace(`src/${name}/`, '')}\``,
      changeOf(survivor),
      survivor.reason,
    ]),
  }));
}

function changeOf({ line, from, to }: Survivor): string {
  const place = line.startsWith(from) ? '' : ` in ${code(line)}`;
  return `${code(from)} → ${code(to)}${place}`;
}

/** Code in a cell of a table. */
function code(text: string): string {
  return `\`\` ${text.replaceAll('|', '\\|')} \`\``;
}
