/** Writes a generated policy as an author would: a file or two for each rule, and `data.json`. */
import type { Duty, Json, Line, Policy, Rule } from './model.ts';

/** The files of the policy by path. */
export function filesOf({ rules, data }: Policy): Record<string, string> {
  const files: Record<string, string> = { 'data.json': JSON.stringify(data, null, 1) };
  for (const rule of rules) {
    const parts = rule.split ? [rule.applies.slice(0, 1), rule.applies.slice(1)] : [rule.applies];
    for (const [i, applies] of parts.entries()) {
      files[`rules/${rule.area}/${rule.title}${i === 0 ? '' : '_more'}.rego`] = new RuleText(
        rule,
        i === 0 ? '' : '_more',
      ).write(applies, i === 0);
    }
  }
  return files;
}

/** One file of a rule, with the helpers that its lines need. */
class RuleText {
  readonly #rule: Rule;
  readonly #suffix: string;
  readonly #helpers: string[] = [];
  #names = 0;
  #variables = 0;

  constructor(rule: Rule, suffix: string) {
    this.#rule = rule;
    this.#suffix = suffix;
  }

  write(applies: Line[][], first: boolean): string {
    const blocks = [...this.#applies(applies, first), ...(first ? this.#rest() : [])];
    const { area, title, view } = this.#rule;
    const head = [
      ...(first ? this.#metadata() : []),
      `package mcp.rules.${area}.${title}`,
      '',
      ...(view === 'data.mcp.request' ? [] : [`import data.mcp.request as ${view}`]),
      'import data.mcp.compare as compare',
    ];
    const all = `${head.join('\n')}\n\n${[...blocks, ...this.#helpers].join('\n\n')}\n`;
    return tidied(all);
  }

  #metadata(): string[] {
    const { reason_code, channels, title } = this.#rule;
    const custom = { ...(reason_code && { reason_code }), ...(channels && { channels }) };
    return ['# METADATA', `# title: ${title}`, `# custom: ${JSON.stringify(custom)}`];
  }

  #applies(bodies: Line[][], first: boolean): string[] {
    const { form } = this.#rule;
    if (form === 'else') {
      const steps = bodies.map((lines, i) => `:= ${i % 2 === 0} ${this.#body(lines)}`);
      return [`applies ${steps.join(' else ')}`];
    }
    const leading = form === 'default' && first ? ['default applies := false'] : [];
    return [...leading, ...this.#bodies('applies', bodies)];
  }

  #rest(): string[] {
    const { effect, within, obligations, eligible } = this.#rule;
    return [
      `effect := "${effect}"`,
      ...(within ? ['default within := false', ...this.#bodies('within', within)] : []),
      ...(obligations ?? []).map((duty) => this.#duty(duty)),
      ...(eligible ? this.#bodies('eligible', eligible) : []),
    ];
  }

  #duty({ duty, filled, lines }: Duty): string {
    const members = Object.entries(duty).map(([name, value]) => `"${name}": ${text(value)}`);
    if (filled) members.push(`"${filled.member}": ${this.#fact(filled.fact)}`);
    const head = `obligations contains {${members.join(', ')}}`;
    return lines.length === 0 ? head : `${head} ${this.#body(lines)}`;
  }

  #bodies(name: string, bodies: Line[][]): string[] {
    return bodies.map((lines) => `${name} ${this.#body(lines)}`);
  }

  #body(lines: Line[]): string {
    const written = lines.flatMap((line) => this.#line(line));
    return `if {\n\t${(written.length === 0 ? ['true'] : written).join('\n\t')}\n}`;
  }

  #fact(fact: string): string {
    return `${this.#rule.view}.${fact}`;
  }

  #argument(argument: string): string {
    return this.#fact(`arguments.${argument}`);
  }

  #helper(prefix: string): string {
    this.#names += 1;
    return `_${prefix}${this.#suffix}_${this.#names}`;
  }

  #variable(): string {
    this.#variables += 1;
    return `v${this.#variables}`;
  }

  #line(line: Line): string[] {
    const write = this.#writers[line.kind] as (line: Line) => string | string[];
    return [write(line)].flat();
  }

  readonly #writers: {
    [K in Line['kind']]: (line: Extract<Line, { kind: K }>) => string | string[];
  } = {
    name: ({ form, names }) => nameLine(this.#fact('name'), form, names),
    equals: ({ fact, value, negated }) => `${not(negated)}${this.#fact(fact)} == ${text(value)}`,
    differs: ({ fact, value }) => `${this.#fact(fact)} != ${text(value)}`,
    present: ({ fact, negated }) => `${not(negated)}${this.#fact(fact)}`,
    member: ({ of, value }) => `${text(value)} in ${this.#fact(of)}`,
    some: ({ of, values, outside }) => {
      const variable = this.#variable();
      const first = `some ${variable} in ${this.#fact(of)}`;
      if (!outside) return [first, `${variable} in ${set(values)}`];
      const helper = this.#helper('known');
      this.#helpers.push(`${helper}(x) if x in ${set(values)}`);
      return [first, `not ${helper}(${variable})`];
    },
    every: ({ of, values }) => {
      const variable = this.#variable();
      return `every ${variable} in ${this.#fact(of)} {\n\t\t${variable} in ${set(values)}\n\t}`;
    },
    helper: ({ bodies, negated }) => {
      const helper = this.#helper('holds');
      this.#helpers.push(...this.#bodies(helper, bodies));
      return `${not(negated)}${helper}`;
    },
    level: ({ steps, otherwise, expected, negated }) => {
      const helper = this.#helper('level');
      const chain = steps.map(({ lines, value }) => `:= ${value} ${this.#body(lines)}`);
      if (otherwise !== null) chain.push(`:= ${otherwise}`);
      this.#helpers.push(`${helper} ${chain.join(' else ')}`);
      return `${not(negated)}${helper} == ${expected}`;
    },
    table: ({ entries, key, expected }) => {
      const helper = this.#helper('table');
      for (const entry of entries) {
        const variable = this.#variable();
        const body = this.#body(entry.lines).replace('if {', '').trimStart();
        const bound = `${variable} := ${text(entry.key)}`;
        this.#helpers.push(`${helper}[${variable}] := ${entry.value} if {\n\t${bound}\n\t${body}`);
      }
      if (key !== null) return `${helper}[${this.#fact(key)}] == ${expected}`;
      const variable = this.#variable();
      return [`some ${variable}`, `${helper}[${variable}] == ${expected}`];
    },
    same: ({ facts, values }) => {
      const helper = this.#helper('alike');
      this.#helpers.push(
        `${helper}(x, y) if x == y`,
        `${helper}(x, y) if {\n\tx in ${set(values)}\n\ty in ${set(values)}\n}`,
      );
      return `${helper}(${facts.map((fact) => this.#fact(fact)).join(', ')})`;
    },
    count: ({ form, of, values, at_least }) => {
      const variable = this.#variable();
      const body = `some ${variable} in ${this.#fact(of)}; ${variable} in ${set(values)}`;
      if (form === 'partial_set') {
        const helper = this.#helper('found');
        this.#helpers.push(`${helper} contains ${variable} if {\n\t${body}\n}`);
        return `count(${helper}) >= ${at_least}`;
      }
      return `count(${comprehension(form, variable, body)}) >= ${at_least}`;
    },
    lookup: ({ key, expected }) => `data.levels[${this.#fact(key)}] == ${expected}`,
    compare: ({ test, argument, operand }) => {
      const right =
        operand === 'own_limit' ? `data.limits[${this.#fact('user.id')}]` : text(operand);
      const operands = test === 'between' ? `0, ${right}` : right;
      return `compare.${test}(${this.#argument(argument)}, ${operands})`;
    },
    argument: ({ argument, value, negated }) =>
      `${not(negated)}${this.#argument(argument)} == ${text(value)}`,
    argument_present: ({ argument, negated }) => `${not(negated)}${this.#argument(argument)}`,
    one_of: ({ argument, values }) => `${this.#argument(argument)} in ${set(values)}`,
    every_path: ({ argument, base }) => {
      const variable = this.#variable();
      const test = `compare.path_under(${variable}, ${text(base)})`;
      return `every ${variable} in ${this.#argument(argument)} {\n\t\t${test}\n\t}`;
    },
    number_of: ({ argument, at_most }) =>
      `compare.at_most(to_number(${this.#argument(argument)}), ${at_most})`,
  };
}

function nameLine(name: string, form: string, names: string[]): string {
  if (form === 'equals') return `${name} == ${text(names[0] ?? '')}`;
  if (form === 'flipped') return `${text(names[0] ?? '')} == ${name}`;
  return `${name} in ${form === 'set' ? set(names) : text(names)}`;
}

function comprehension(form: string, variable: string, body: string): string {
  if (form === 'set') return `{${variable} | ${body}}`;
  if (form === 'array') return `[${variable} | ${body}]`;
  return `{${variable}: true | ${body}}`;
}

function set(values: readonly Json[]): string {
  return values.length === 0 ? 'set()' : `{${[...new Set(values.map(text))].join(', ')}}`;
}

function text(value: Json): string {
  return JSON.stringify(value);
}

function not(negated: boolean): string {
  return negated ? 'not ' : '';
}

/** OPA's strict check refuses imports that nothing uses, and those under their own name twice. */
function tidied(file: string): string {
  return file
    .split('\n')
    .filter((line) => {
      const name = /^import \S+ as (\S+)$/u.exec(line)?.[1];
      return name === undefined || file.includes(`${name}.`, file.indexOf(line) + line.length);
    })
    .join('\n')
    .replaceAll(/^import data\.mcp\.(\w+) as \1$/gmu, 'import data.mcp.$1');
}
