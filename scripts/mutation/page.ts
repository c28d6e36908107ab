/** What docs/mutation.md shows. */
import { AREA_NAMES, type AreaName } from './areas.ts';
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

/** The survivors of each area under their reasons. */
export function survivorBlocks() {
  return AREA_NAMES.map((area) => {
    const reasons = Object.entries(
      Object.groupBy(readMeasured(area).survivors, ({ reason }) => reason),
    );
    const paragraphs = reasons.map(([reason, survivors = []]) => {
      const items = survivors.map((survivor) => itemOf(area, survivor));
      return `${reason || 'Nobody said why yet'}:\n\n${items.join('\n')}`;
    });
    return {
      path: PATH,
      name: `survivors of ${area}`,
      text: paragraphs.join('\n\n') || 'Not measured yet.',
    };
  });
}

function itemOf(area: AreaName, { file, line, from, to }: Survivor): string {
  const place = line.startsWith(from) ? '' : ` in ${code(line)}`;
  return `- \`${file.replace(`src/${area}/`, '')}\`: ${code(from)} → ${code(to)}${place}`;
}

/** A code span, with the fence and the spaces that Prettier gives it. */
function code(text: string): string {
  const runs = new Set(text.match(/`+/gu)?.map(({ length }) => length));
  let length = 1;
  while (runs.has(length)) length += 1;
  const fence = '`'.repeat(length);
  const space = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return fence + space + text + space + fence;
}
