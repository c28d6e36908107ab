/**
 * Certificates of the tests, made here and trusted nowhere else: `authority().issue({…})`. P-256
 * keys, X.509 v3 (RFC 5280) written as DER, so that nothing of the machine is needed.
 */
import {
  createHash,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';

export interface Issued {
  /** PEM. */
  cert: string;
  key: string;
  /** SHA-256 of the DER as base64url: `x5t#S256`. */
  thumbprint: string;
}

export interface Subject {
  common_name?: string;
  organization?: string;
  /** Host names and IP addresses. */
  hosts?: string[];
  uris?: string[];
  emails?: string[];
  /** Default: an hour ago, and in a day. */
  valid_from?: Date;
  valid_to?: Date;
  usage?: 'server' | 'client';
}

export interface Authority extends Issued {
  issue(subject: Subject): Issued;
}

const HOUR_MS = 3_600_000;

/** A certificate authority of its own. */
export function authority(common_name = 'authority of the tests'): Authority {
  const keys = keyPair();
  const subject = { common_name };
  const extensions = [extension('2.5.29.19', sequence(TRUE), true)];
  const own = certificate({ subject, issuer: subject, keys, signer: keys.privateKey, extensions });
  return {
    ...own,
    issue: (of) => {
      const made = keyPair();
      return certificate({
        subject: of,
        issuer: subject,
        keys: made,
        signer: keys.privateKey,
        extensions: extensionsOf(of),
      });
    },
  };
}

/** One that nobody else vouches for. */
export function selfSigned(subject: Subject): Issued {
  const keys = keyPair();
  const extensions = extensionsOf(subject);
  return certificate({ subject, issuer: subject, keys, signer: keys.privateKey, extensions });
}

interface Parts {
  subject: Subject;
  issuer: Subject;
  keys: ReturnType<typeof keyPair>;
  signer: KeyObject;
  extensions: Buffer[];
}

function certificate({ subject, issuer, keys, signer, extensions }: Parts): Issued {
  const { valid_from = at(-HOUR_MS), valid_to = at(24 * HOUR_MS) } = subject;
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    nameOf(issuer),
    sequence(time(valid_from), time(valid_to)),
    nameOf(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const raw = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, signer)));
  return {
    cert: new X509Certificate(raw).toString(),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    thumbprint: createHash('sha256').update(raw).digest('base64url'),
  };
}

function extensionsOf({ hosts = [], uris = [], emails = [], usage }: Subject): Buffer[] {
  const names = [
    ...hosts.map((host) =>
      isIP(host) ? der(0x87, Buffer.from(host.split('.').map(Number))) : text(0x82, host),
    ),
    ...uris.map((uri) => text(0x86, uri)),
    ...emails.map((email) => text(0x81, email)),
  ];
  const purpose = usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2';
  return [
    extension('2.5.29.19', sequence(), true),
    ...(names.length > 0 ? [extension('2.5.29.17', sequence(...names))] : []),
    ...(usage ? [extension('2.5.29.37', sequence(oid(purpose)))] : []),
  ];
}

function keyPair() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function at(offset_ms: number): Date {
  return new Date(Date.now() + offset_ms);
}

/** DER (X.690): a tag, the length of the content, the content. */
function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}

const sequence = (...items: Buffer[]): Buffer => der(0x30, ...items);
const integer = (bytes: Buffer): Buffer => der(0x02, bytes);
const bits = (bytes: Buffer): Buffer => der(0x03, Buffer.from([0]), bytes);
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), der(0x04, value));
}

function nameOf({ common_name, organization }: Subject): Buffer {
  const attribute = (id: string, value: string | undefined): Buffer[] =>
    value === undefined ? [] : [der(0x31, sequence(oid(id), text(0x0c, value)))];
  return sequence(...attribute('2.5.4.10', organization), ...attribute('2.5.4.3', common_name));
}

/** GeneralizedTime, which RFC 5280 asks for from 2050 on and OpenSSL takes always. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return text(0x18, digits);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

const TRUE = der(0x01, Buffer.from([0xff]));
const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
