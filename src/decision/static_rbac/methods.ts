/** The methods of MCP as a static file may name them, and what they do with a capability. */

/** What is known of a method: the rows of the method table, which is handed in. */
export interface MethodRow {
  handling: 'filter' | 'decide' | 'owner_bound' | 'allow' | 'refuse';
  /** The type of what it acts on; absent where that differs. */
  resource_type?: string;
  /** The word of the draft for what it does. */
  verb?: string;
}

export type MethodTable = Readonly<Record<string, MethodRow>>;

/** The words that a file may say of a method, the strictest last: it cannot loosen the table. */
const WORDS: Readonly<Record<MethodRow['handling'], readonly string[]>> = {
  filter: ['filter', 'deny'],
  decide: ['evaluate', 'deny'],
  owner_bound: ['evaluate', 'deny'],
  allow: [],
  refuse: ['deny'],
};

/** Why a file may not say `word` of a method (ruling R8); undefined where it may. */
export function methodFault(methods: MethodTable, name: string, word: string): string | undefined {
  const row = rowOf(methods, name);
  if (!row) return 'this method is not known';
  const words = WORDS[row.handling];
  if (words.includes(word)) return undefined;
  if (words.length === 0) return "this method is the protocol's own and cannot be cut";
  return `for this method it must be one of ${words.map((one) => `\`${one}\``).join(', ')}`;
}

export function rowOf(methods: MethodTable, name: unknown): MethodRow | undefined {
  return typeof name === 'string' && Object.hasOwn(methods, name) ? methods[name] : undefined;
}

/** Whether a method can do this to a thing of that type. */
export function actsOn({ handling, resource_type }: MethodRow, type: string): boolean {
  return handling !== 'allow' && (resource_type === undefined || resource_type === type);
}

/** The words for what any of these methods does to things of a type. */
export function verbsOf(methods: MethodTable, type: string): ReadonlySet<string> {
  const rows = Object.values(methods).filter((row) => actsOn(row, type));
  return new Set(rows.flatMap(({ verb }) => verb ?? []));
}

/** Whether things of a type are listed, so that being listed and being used hang together. */
export function isListed(methods: MethodTable, type: string): boolean {
  return Object.values(methods).some(
    ({ handling, resource_type }) => handling === 'filter' && resource_type === type,
  );
}
