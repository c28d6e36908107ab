/**
 * Requests that were changed anywhere, against a running service: it answers or closes, never with
 * a 5xx but 503; it allows nothing that is not on record as allowed, and nothing that the policy
 * does not allow; and it answers rightly afterwards.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { changed, changesOf, fuzzing, fuzzTimeout } from '../support/fuzz.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { EVALUATION, EVALUATIONS, serveAuthzen, type AuthzenService } from './authzen/fixture.ts';

const BODY_BYTES_MAX = 4_096;
const SETTINGS = `pdp: {body_bytes_max: ${BODY_BYTES_MAX}, batch_items_max: 8}`;

const ann = { type: 'user', id: 'ann' };
const bob = { type: 'user', id: 'bob' };
const own = { type: 'todo', id: '1', properties: { ownerID: 'ann@example.com' } };
const foreign = { type: 'todo', id: '2', properties: { ownerID: 'bob@example.com' } };
const ALLOWED = { subject: ann, action: { name: 'can_update_todo' }, resource: own };
const DENIED = { ...ALLOWED, resource: foreign };

/** Nine times out of ten one of the usual values. */
function mostly<T>(usual: readonly T[], odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: odd },
  );
}

/** A part of a body: mostly right, sometimes of another type, sometimes absent. */
function part(...right: unknown[]): fc.Arbitrary<unknown> {
  return mostly(right, fc.oneof(fc.constant(undefined), fc.jsonValue({ maxDepth: 2 })));
}

const RIGHTS = new Set(['can_update_todo', 'can_read_todos', 'can_delete_todo']);
const names = [...RIGHTS, 'GET', 'can_fly'];
const entities = {
  subject: part(ann, ann, bob),
  action: part(...names.map((name) => ({ name }))),
  resource: part(own, own, foreign, { type: 'route', id: '/todos' }),
  context: part(undefined, {}, { a: 1 }, { phase: 'discovery' }, { profile: 'mcp/1' }),
};
const evaluation = fc.record(entities);
const semantics = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'];
const options = [...semantics.map((evaluations_semantic) => ({ evaluations_semantic })), {}];
const batch = fc.record({
  ...entities,
  evaluations: fc.array(fc.record(entities, { requiredKeys: [] }), { maxLength: 10 }),
  options: part(...options, { portcullis: { discovery: { catalogue_digest: 'x' } } }),
});
const outcome = fc.record({ evaluation_id: part('a'), status: part('executed') });
const body = fc
  .oneof({ weight: 3, arbitrary: evaluation }, { weight: 3, arbitrary: batch }, outcome)
  .map((value) => JSON.stringify(value));

const HAZARDS = [
  ...['\r\n', '\r\n\r\n', '\0', '\r', '\n ', ' ', ':', '\x80', '%00', '/..', '//', '?a=1', '#'],
  ...['Transfer-Encoding: chunked\r\n', 'Content-Length: 5\r\n', 'Host: evil.example\r\n'],
  ...['Expect: 100-continue\r\n', 'Upgrade: h2c\r\nConnection: upgrade\r\n', 'Origin: null\r\n'],
  ...['Authorization: Bearer x\r\n', 'Content-Encoding: gzip\r\n', 'HTTP/1.0', 'HTTP/2.0'],
  ...['{', '}', '[', ']', '"', ',', '1e999', '\\ud800', '"__proto__":{},', '"decision":true,'],
  ...['x'.repeat(BODY_BYTES_MAX), '['.repeat(80), 'a:\r\n'.repeat(600)],
];

const paths = ['/v1/decision', '/v1/outcomes', '/v1/status', '/health', '*', 'http://[', '/'];
const request = fc.record({
  method: mostly(['POST'], fc.constantFrom('GET', 'PUT', 'HEAD', 'TRACE', 'CONNECT')),
  path: mostly([EVALUATION, EVALUATIONS, EVALUATIONS], fc.constantFrom(...paths)),
  body,
  is_chunked: fc.boolean(),
  is_known: mostly([true], fc.constant(false)),
  /** Half of the requests go out as they are. */
  changes: fc.option(changesOf(...HAZARDS), { freq: 1 }),
  /** Where the bytes are parted on their way. */
  cut: fc.nat(),
});
const together = fc.array(request, { minLength: 1, maxLength: 16 });
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function bytesOf(given: Request, { port, token }: AuthzenService): Buffer {
  const size = Buffer.byteLength(given.body);
  const framing = given.is_chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`;
  const framed = given.is_chunked
    ? `${size.toString(16)}\r\n${given.body}\r\n0\r\n\r\n`
    : given.body;
  const head = [
    `${given.method} ${given.path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${given.is_known ? token : 'x'}`,
    'Content-Type: application/json',
    'Connection: close',
    framing,
  ];
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${framed}`);
  return given.changes ? changed(bytes, given.changes) : bytes;
}

/** How long an answer is waited for: a service rightly waits for what a change has taken away. */
const PATIENCE_MS = 30;

/** Sends the bytes in two parts and gives back all that comes until the connection ends. */
function exchange(port: number, bytes: Buffer, cut: number): Promise<string> {
  const at = cut % (bytes.length + 1);
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let patience: NodeJS.Timeout;
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(received);
    });
    socket.write(bytes.subarray(0, at), () => {
      socket.write(bytes.subarray(at));
      patience = setTimeout(() => socket.end(), PATIENCE_MS);
    });
  });
}

interface Answer {
  status: number;
  evaluation_id: string;
  body: { decision?: unknown; evaluations?: { decision: unknown }[] } | undefined;
}

/** The answers on a connection, one after another. */
function answersIn(received: string): Answer[] {
  return received
    .split(/^(?=HTTP\/1\.1 )/m)
    .filter(Boolean)
    .map((text) => {
      const [head = '', json = ''] = text.split('\r\n\r\n');
      const isJson = /^content-type: application\/json$/im.test(head) && json !== '';
      return {
        status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
        evaluation_id: /^portcullis-evaluation-id: (.*)$/im.exec(head)?.[1] ?? '',
        body: isJson ? (JSON.parse(json) as Answer['body']) : undefined,
      };
    });
}

/** The ids, as in the evidence, of what an answer allows. */
function allowedIn({ body: given, evaluation_id }: Answer): string[] {
  if (given?.decision === true || given?.decision === 'allow') return [evaluation_id];
  const each = given?.evaluations ?? [];
  return each.flatMap(({ decision }, i) => (decision === true ? [`${evaluation_id}#${i}`] : []));
}

/** Whether a record may be an allow: ann is an editor, and a gateway lets her read its route. */
function mayBeAllowed(record: EvidenceRecord | undefined): boolean {
  const { subject, action = '', resource } = record?.request ?? {};
  const isRight = action === 'GET' ? resource?.type === 'route' : RIGHTS.has(action);
  return record?.decision === true && subject?.id === 'ann' && isRight;
}

describeWithOpa('a running service', () => {
  let service: AuthzenService;
  beforeAll(async () => {
    service = await serveAuthzen(SETTINGS);
  });
  afterAll(() => service?.close());

  async function expectRight(): Promise<void> {
    const answers = await Promise.all(
      [ALLOWED, DENIED].map((asked) => service.post(EVALUATION, asked)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ body: given }) => given)).toMatchObject([
      { decision: true },
      { decision: false },
    ]);
  }

  test(
    'takes changed requests, and allows only what is on record',
    async () => {
      const allowed: string[] = [];
      const statuses = new Set<number>();
      const send = (given: Request) => exchange(service.port, bytesOf(given, service), given.cut);
      const property = fc.asyncProperty(together, async (requests) => {
        const answers = (await Promise.all(requests.map(send))).flatMap(answersIn);
        for (const answer of answers) {
          statuses.add(answer.status);
          expect(answer.status < 500 || answer.status === 503).toBe(true);
          allowed.push(...allowedIn(answer));
        }
        await expectRight();
      });
      await fc.assert(property, fuzzing(300));
      await expectRight();
      const records = await service.records();
      const byId = new Map(records.map((record) => [record.evaluation_id, record]));
      expect(allowed.filter((id) => !mayBeAllowed(byId.get(id)))).toEqual([]);
      expect(service.serving.child.exitCode).toBe(null);
      expect(service.serving.stderr()).not.toMatch(/"level":"error"/);
      expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 401, 404, 405, 413]));
      expect(allowed.length).toBeGreaterThan(50);
    },
    fuzzTimeout(60),
  );
});
