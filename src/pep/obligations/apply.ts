/**
 * Fulfils `keep_fields` and `mask_fields` on what a server answers. Paths speak of the structured
 * value: `structuredContent`, or a text block that is a JSON object or array. Where both are there,
 * a text counts as structured only if it is the mirror of `structuredContent`, because a mask made
 * for one shape would miss its fields in another.
 *
 * A masked answer is built anew from the members named here. `_meta`, annotations, uris, names and
 * unknown members can carry data that no path reaches, so nothing else of the answer survives.
 */
import { canonicalJson } from '../../contract/canonical.ts';
import type { DigestKey } from '../../contract/digest.ts';
import { JSON_LIMITS, parseJson, type JsonLimits } from '../../contract/json.ts';
import type { Obligation } from '../../contract/types.gen.ts';
import { isContainer, keepFields, maskFields } from './fields.ts';
import { planOf, type Plan } from './plan.ts';

/** What stands in place of unstructured content where the policy says `redact`. */
export const WITHHELD = '[withheld by policy]';

/** A JSON-RPC error. */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

/** `reason` is for the log and holds no value of the answer. */
export type Refused = { ok: false; reason: string };

/**
 * `masked` names what was taken away, in the words of the policy's paths: `*` stands for names that
 * the policy does not name, and the empty path for unstructured content, or for all that was taken
 * where it is more than an outcome report can name.
 */
export type AppliedResult = { ok: true; result: unknown; masked: string[] } | Refused;
export type AppliedError = { ok: true; error: RpcError; masked: string[] } | Refused;

/**
 * What a result is made of: content blocks of a tool, messages of a prompt, contents of the
 * resource at an address, or nothing that may survive a mask.
 */
export type ResultShape =
  { of: 'tool' } | { of: 'prompt' } | { of: 'resource'; uri: string } | { of: 'nothing' };

/** Masks a result of that shape. The given result is never changed. */
export function applyToResult(
  result: unknown,
  obligations: readonly Obligation[],
  key: DigestKey,
  limits: JsonLimits = JSON_LIMITS,
  shape: ResultShape = { of: 'tool' },
): AppliedResult {
  const planned = planOf(obligations);
  if (!planned.ok) return planned;
  if (planned.plan === undefined) return { ok: true, result, masked: [] };
  const captured = capture(result, limits);
  const work = { plan: planned.plan, key, limits, masked: new Set<string>() };
  const masked = maskShape(captured, shape, work);
  if (masked === MALFORMED) return refuse('the result is malformed, too large or too deep');
  if (masked === undefined) return refuse('unstructured content may not pass');
  return { ok: true, result: masked, masked: recorded(work) };
}

/** Masks a JSON-RPC error: `data` like a structured value, while `message` is unstructured. */
export function applyToError(
  error: RpcError,
  obligations: readonly Obligation[],
  key: DigestKey,
  limits: JsonLimits = JSON_LIMITS,
): AppliedError {
  const planned = planOf(obligations);
  if (!planned.ok) return planned;
  if (planned.plan === undefined) return { ok: true, error, masked: [] };
  if (planned.plan.unstructured === 'refuse') return refuse('unstructured content may not pass');
  const captured = capture(error, limits);
  if (!isRpcError(captured)) return refuse('the error is malformed, too large or too deep');
  const work = { plan: planned.plan, key, limits, masked: new Set(['']) };
  const masked: RpcError = { code: codeOf(captured), message: WITHHELD };
  const data = maskData(captured.data, work);
  if (data !== undefined) masked.data = data;
  return { ok: true, error: masked, masked: recorded(work) };
}

/** The limits of `masked` in outcome_report.schema.json. */
const MASKED_PATHS_MAX = 1024;
const MASKED_PATH_LENGTH_MAX = 1024;

function recorded({ masked }: Work): string[] {
  const paths = [...masked].sort();
  const fits = paths.every(({ length }) => length <= MASKED_PATH_LENGTH_MAX);
  return fits && paths.length <= MASKED_PATHS_MAX ? paths : [''];
}

interface Work {
  plan: Plan;
  key: DigestKey;
  limits: JsonLimits;
  masked: Set<string>;
}

interface ToolResult {
  content: unknown[];
  structuredContent?: object;
  isError?: boolean;
  resultType?: 'complete';
}

/** The one copy that is looked at: plain I-JSON, so that no getter or `toJSON` speaks twice. */
function capture(value: unknown, limits: JsonLimits): unknown {
  try {
    const text: unknown = JSON.stringify(value);
    const parsed = typeof text === 'string' ? parseJson(text, limits) : undefined;
    return parsed?.ok ? parsed.value : undefined;
  } catch {
    return undefined;
  }
}

/** Other result types, such as `input_required` and `task`, are messages of their own kind. */
function isToolResult(value: unknown): value is ToolResult {
  if (!isContainer(value) || Array.isArray(value)) return false;
  const { content, structuredContent, isError, resultType } = value;
  return (
    Array.isArray(content) &&
    (structuredContent === undefined || isContainer(structuredContent)) &&
    (isError === undefined || typeof isError === 'boolean') &&
    (resultType === undefined || resultType === 'complete')
  );
}

const MALFORMED = Symbol('malformed');

/** Undefined: the result holds unstructured content that may not pass. */
function maskShape(
  result: unknown,
  shape: ResultShape,
  work: Work,
): object | undefined | typeof MALFORMED {
  if (shape.of === 'nothing') return MALFORMED;
  if (shape.of === 'tool') return isToolResult(result) ? maskResult(result, work) : MALFORMED;
  const member = shape.of === 'prompt' ? 'messages' : 'contents';
  const items = isContainer(result) && !Array.isArray(result) ? result[member] : undefined;
  if (!Array.isArray(items)) return MALFORMED;
  const { resultType } = result as { resultType?: unknown };
  if (resultType !== undefined && resultType !== 'complete') return MALFORMED;
  const masked =
    shape.of === 'prompt' ? maskMessages(items, work) : maskContents(items, shape.uri, work);
  return masked && { [member]: masked, ...(resultType !== undefined && { resultType }) };
}

/** Messages whose content is a JSON text; undefined where others may not pass. */
function maskMessages(messages: readonly unknown[], work: Work): object[] | undefined {
  const masked: object[] = [];
  for (const message of messages) {
    const { role, content } = (isContainer(message) ? message : {}) as Record<string, unknown>;
    const text = maskBlock(content, undefined, work) ?? replacement(work);
    if (text === undefined) return undefined;
    const known = role === 'user' || role === 'assistant';
    if (text !== '' && known) masked.push({ role, content: { type: 'text', text } });
  }
  return masked;
}

/** Contents that are a JSON text; undefined where others may not pass. */
function maskContents(contents: readonly unknown[], uri: string, work: Work): object[] | undefined {
  const masked: object[] = [];
  for (const content of contents) {
    const { text: given } = (isContainer(content) ? content : {}) as { text?: unknown };
    const json = maskBlock({ type: 'text', text: given }, undefined, work);
    const text = json ?? replacement(work);
    if (text === undefined) return undefined;
    const mimeType = json === undefined ? 'text/plain' : 'application/json';
    if (text !== '') masked.push({ uri, mimeType, text });
  }
  return masked;
}

/** What stands for unstructured content: empty where it is dropped, undefined where refused. */
function replacement({ plan, masked }: Work): string | undefined {
  if (plan.unstructured === 'refuse') return undefined;
  masked.add('');
  return plan.unstructured === 'redact' ? WITHHELD : '';
}

/** -32042 asks the user to open an address (MCP 2025-11-25): a message that no path reaches. */
function isRpcError(value: unknown): value is RpcError {
  if (!isContainer(value) || Array.isArray(value)) return false;
  const { code, message } = value;
  return Number.isSafeInteger(code) && code !== -32042 && typeof message === 'string';
}

/** Undefined: the result holds unstructured content that may not pass. */
function maskResult(result: ToolResult, work: Work): ToolResult | undefined {
  const { structuredContent, isError, resultType } = result;
  const mirror = structuredContent && canonicalJson(structuredContent);
  const content: unknown[] = [];
  for (const block of result.content) {
    const text = maskBlock(block, mirror, work);
    if (text === undefined && work.plan.unstructured === 'refuse') return undefined;
    if (text !== undefined) content.push({ type: 'text', text });
    else withhold(content, work);
  }
  const structured = structuredContent && maskValue(structuredContent, work);
  return {
    content,
    ...(structured && { structuredContent: structured }),
    ...(isError !== undefined && { isError }),
    ...(resultType !== undefined && { resultType }),
  };
}

/** The text of a block after masking; undefined: the block is unstructured, or nothing is left. */
function maskBlock(block: unknown, mirror: string | undefined, work: Work): string | undefined {
  if (!isContainer(block) || Array.isArray(block)) return undefined;
  if (block['type'] !== 'text') return undefined;
  const value = parseStructured(block['text'], work.limits);
  if (value === undefined) return undefined;
  if (mirror !== undefined && canonicalJson(value) !== mirror) return undefined;
  const masked = maskValue(value, work);
  return masked && JSON.stringify(masked);
}

function withhold(content: unknown[], work: Work): void {
  work.masked.add('');
  if (work.plan.unstructured === 'redact') content.push({ type: 'text', text: WITHHELD });
}

function parseStructured(text: unknown, limits: JsonLimits): object | undefined {
  if (typeof text !== 'string') return undefined;
  const parsed = parseJson(text, limits);
  return parsed.ok && isContainer(parsed.value) ? parsed.value : undefined;
}

function maskValue(value: object, { plan, key, masked }: Work): object | undefined {
  const note = (path: string) => masked.add(path);
  const kept = keepFields(value as Record<string, unknown>, plan.keeps, note);
  return maskFields(kept as Record<string, unknown>, plan.masks, key, note);
}

/** Undefined: the error has no data, or none that may pass. */
function maskData(data: unknown, work: Work): unknown {
  if (data === undefined) return undefined;
  if (isContainer(data)) return maskValue(data, work);
  const value = parseStructured(data, work.limits);
  const masked = value && maskValue(value, work);
  if (masked !== undefined) return JSON.stringify(masked);
  return work.plan.unstructured === 'redact' ? WITHHELD : undefined;
}

const INTERNAL_ERROR = -32603;

/** A server's own code can carry a value; those that JSON-RPC reserves mean one thing each. */
function codeOf({ code }: RpcError): number {
  return code >= -32768 && code <= -32000 ? code : INTERNAL_ERROR;
}

function refuse(reason: string): Refused {
  return { ok: false, reason };
}
