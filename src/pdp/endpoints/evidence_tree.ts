/**
 * `GET /v1/evidence/checkpoint` and `/v1/evidence/tile/…`: the log in the layout of C2SP tlog-tiles
 * for verifiers and witnesses, whose prefix is `/v1/evidence`.
 */
import { TILE_WIDTH, tilePath } from '../../evidence/tree/tile.ts';
import type { EvidenceTree } from '../../evidence/types.ts';
import { refusal, type Answer, type Exchange } from '../exchange.ts';

const TILE = /^\/v1\/evidence\/tile\/(?<path>[^.]+)(?:\.p\/(?<width>[1-9]\d{0,2}))?$/;
const LEVEL_AND_INDEX =
  /^(?<level>entries|[0-9]|[1-5]\d|6[0-3])\/(?<index>(?:x\d{3}\/){0,4}\d{3})$/;

/** What a path names is the same for ever; it is for the holder of a credential only. */
const FOR_EVER = { 'Cache-Control': 'private, max-age=31536000, immutable' };

export function answerCheckpoint({ evidence }: Exchange): Answer {
  return {
    status: 200,
    type: 'text/plain; charset=utf-8',
    content: evidence.tree.checkpoint(),
  };
}

/** A bound caller would see the hashes and records of other tenants. */
export async function answerTile({ evidence, path, caller }: Exchange): Promise<Answer> {
  if (caller.tenants) {
    const message = 'a caller that is bound to tenants has receipts, and not the whole log';
    return refusal(403, 'UNAUTHENTICATED', message);
  }
  const named = readTilePath(path);
  const found = named && (await readNamed(evidence.tree, named));
  if (!found) return refusal(404, 'WIRE_INVALID', 'the log has no such tile');
  if ('absent' in found) return refusal(404, 'WIRE_INVALID', found.absent);
  const content = found.bytes;
  return { status: 200, type: 'application/octet-stream', content, headers: FOR_EVER };
}

interface NamedTile {
  level: number | 'entries';
  index: number;
  width: number;
}

/** Each tile has one name. Fifteen digits are more than any log has, and a safe integer. */
function readTilePath(target: string): NamedTile | undefined {
  const { path = '', width = TILE_WIDTH } = TILE.exec(target)?.groups ?? {};
  const { level = '', index: elements = '' } = LEVEL_AND_INDEX.exec(path)?.groups ?? {};
  const index = Number(elements.replaceAll(/\D/g, ''));
  const named = { level: level === 'entries' ? level : Number(level), index, width: Number(width) };
  const isPartial = width !== TILE_WIDTH;
  if (isPartial && named.width >= TILE_WIDTH) return undefined;
  const whole = tilePath(0, index).slice(1);
  return path !== '' && path === `${level}${whole}` ? (named as NamedTile) : undefined;
}

async function readNamed(
  tree: EvidenceTree,
  { level, index, width }: NamedTile,
): ReturnType<EvidenceTree['entries']> {
  if (level === 'entries') return tree.entries(index, width);
  const bytes = await tree.tile(level, index, width);
  return bytes && { bytes };
}
