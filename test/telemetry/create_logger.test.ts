import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { type LogLevel, createLogger } from '../../src/telemetry/create_logger.ts';
import type { LogFields, Logger } from '../../src/telemetry/logger.ts';

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

/** What a logger writes while it is used. */
function written(
  use: (log: Logger) => void,
  { level = 'info', isTTY = false }: { level?: LogLevel; isTTY?: boolean } = {},
): string {
  const stream = Object.assign(new PassThrough(), { isTTY });
  use(createLogger({ level }, stream));
  return String(stream.read() ?? '');
}

function logged(fields: LogFields): LogFields {
  const { fields: copy } = JSON.parse(written((log) => log.info('m', { fields }))) as {
    fields: LogFields;
  };
  return copy;
}

test('a line is one JSON object with time, level, message and fields', () => {
  const text = written((log) => log.warn('two\nlines', { tool: 'a\n"b"', count: 2 }));
  expect(text.split('\n')).toHaveLength(2);
  expect(JSON.parse(text)).toEqual({
    time: TIME,
    level: 'warn',
    message: 'two\nlines',
    tool: 'a\n"b"',
    count: 2,
  });
});

test('a field cannot take the place of time, level or message', () => {
  const fields = { time: 'never', level: 'debug', message: 'other' };
  const text = written((log) => log.info('true', fields));
  expect(JSON.parse(text)).toEqual({ time: TIME, level: 'info', message: 'true' });
});

test.each<[LogLevel, string[]]>([
  ['error', ['error']],
  ['warn', ['warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['debug', ['debug', 'info', 'warn', 'error']],
])('at level %s lines of %j are written', (level, expected) => {
  const text = written(
    (log) => {
      log.debug('m');
      log.info('m');
      log.warn('m');
      log.error('m');
    },
    { level },
  );
  const lines = text.trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
});

test('a child adds its fields, also those of its parents, and leaves the parents alone', () => {
  const text = written((log) => {
    const child = log.child({ correlation_id: 'c', part: 'pdp' });
    child.child({ part: 'pep' }).info('m', { tool: 't' });
    log.info('m');
  });
  const [inner, outer] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  const header = { time: TIME, level: 'info', message: 'm' };
  expect(inner).toEqual({ ...header, correlation_id: 'c', part: 'pep', tool: 't' });
  expect(outer).toEqual(header);
});

test('on a terminal a line is text in which nothing can move the cursor or hide', () => {
  const fields = { tool: 'a\u001b[2J\nb', digest: { of: ['\u202e'] } };
  const text = written((log) => log.error('bad\u001b[31m', fields), { isTTY: true });
  expect(text.replace(/^\S+/, 'TIME')).toBe(
    'TIME error bad\\u001b[31m tool="a\\u001b[2J\\nb" digest={"of":["\\u202e"]}\n',
  );
});

test.each([
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'token',
  'access_token',
  'accessToken',
  'refresh_token',
  'secret',
  'client_secret',
  'password',
  'passphrase',
  'api_key',
  'apiKey',
  'X-Api-Key',
  'private_key',
  'credentials',
  'client_assertion',
  'arguments',
])('the value of `%s` is not logged', (name) => {
  expect(logged({ [name]: 's3cret', deep: [{ [name]: { a: 's3cret' } }] })).toEqual({
    [name]: '[redacted]',
    deep: [{ [name]: '[redacted]' }],
  });
});

test.each(['arguments_digest', 'token_file', 'digest_key_file', 'tokens_max', 'key', 'id'])(
  'the value of `%s` is logged',
  (name) => {
    expect(logged({ [name]: 'shown' })).toEqual({ [name]: 'shown' });
  },
);

test('fields are copied, not changed', () => {
  const fields = { token: 's3cret', deep: { password: 'p' } };
  logged(fields);
  expect(fields).toEqual({ token: 's3cret', deep: { password: 'p' } });
});

test('an error is logged with its code and causes; a foreign one with its stack', () => {
  const cause = Object.assign(new Error('disk'), { code: 'EIO', token: 's3cret' });
  const error = new PortcullisError('EVIDENCE_UNWRITABLE', 'no record', { cause });
  expect(logged({ error })).toEqual({
    error: {
      name: 'PortcullisError',
      code: 'EVIDENCE_UNWRITABLE',
      message: 'no record',
      cause: {
        name: 'Error',
        code: 'EIO',
        message: 'disk',
        stack: expect.stringContaining('create_logger.test.ts'),
      },
    },
  });
});

test('values that JSON does not know or that are too big become short notes', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const copy = logged({
    big: 1n,
    bytes: new Uint8Array(3),
    call: () => 1,
    many: Array.from({ length: 103 }, () => 0),
    text: 'x'.repeat(5000),
    members: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`m${at}`, at])),
  });
  expect(copy).toMatchObject({ big: '1', bytes: '[3 bytes]', call: '[function]' });
  expect((copy.many as unknown[]).slice(99)).toEqual([0, '[3 more]']);
  expect(copy.text).toBe(`${'x'.repeat(4096)}[904 more]`);
  expect(copy.members).toMatchObject({ m99: 99, '…': '[1 more]' });
  expect(JSON.stringify(logged(circle))).toContain('"[deeper]"');
});

test('a value that cannot be read does not break who logs it', () => {
  const hostile = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  const text = written((log) => log.info('m', { hostile }));
  expect(JSON.parse(text)).toEqual({
    time: TIME,
    level: 'info',
    message: 'm',
    fields: '[unreadable]',
  });
});

test('a process writes to stderr only, and lives on when nobody reads it any more', async () => {
  const source = join(import.meta.dirname, '../../src/telemetry/create_logger.ts');
  const script = `
    const { createLogger } = await import(${JSON.stringify(source)});
    const log = createLogger({ level: 'info' });
    log.info('first');
    process.stdin.once('data', () => {
      for (let at = 0; at < 100; at += 1) log.info('unread');
      setTimeout(() => { process.stdout.write('alive'); process.exit(0); }, 50);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  const [line] = (await once(child.stderr, 'data')) as [Buffer];
  expect(JSON.parse(line.toString())).toEqual({ time: TIME, level: 'info', message: 'first' });
  child.stderr.destroy();
  child.stdin.write('go\n');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(out).toBe('alive');
});
