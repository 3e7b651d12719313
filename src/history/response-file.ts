/** One remembered answer as a file: a line of JSON that says what follows, then the request's and the answer's bytes. */
import { z } from 'zod';
import { isResponseId, WrittenNodeId } from '../core/ids.ts';
import { RESPONSE_HEAD_BYTES_MAX } from '../core/limits.ts';
import { tolerantJson } from '../lib/json.ts';
import { Card } from '../core/card.ts';
import { Kept } from './kept.ts';

const responseId = z.string().refine(isResponseId);
const bytes = z.int().nonnegative();
const LINE_FEED = 0x0a;

const Head = z.object({
  version: z.literal(1),
  id: responseId,
  upstreamId: z.string().max(128).optional(),
  home: z
    .object({
      node: WrittenNodeId,
      provider: z.string(),
      id: z.string(),
      dialect: Card.shape.dialect,
    })
    .optional(),
  keptAt: z.number(),
  request: bytes,
  answer: bytes,
});

export function fileOf({ parts }: Kept): Uint8Array {
  const { id, upstreamId, home, keptAt, request, answer } = parts;
  const head = {
    version: 1,
    id,
    upstreamId,
    home: home === undefined ? undefined : { ...home.target, dialect: home.dialect },
    keptAt,
    request: request.length,
    answer: answer.length,
  };
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), request, answer]);
}

/** Undefined for a file that is not whole, or is none of these. */
export function keptIn(file: Buffer): Kept | undefined {
  const end = file.indexOf(LINE_FEED);
  if (end < 0 || end > RESPONSE_HEAD_BYTES_MAX) return undefined;
  const read = Head.safeParse(tolerantJson(file.toString('utf8', 0, end)));
  if (!read.success) return undefined;
  const { id, upstreamId, home, keptAt, request, answer } = read.data;
  const from = end + 1;
  if (file.length !== from + request + answer) return undefined;
  return new Kept({
    id,
    upstreamId,
    // Nothing else is written.
    stored: true,
    home:
      home === undefined
        ? undefined
        : { target: { node: home.node, provider: home.provider, id: home.id }, dialect: home.dialect },
    keptAt,
    request: file.subarray(from, from + request),
    answer: file.subarray(from + request),
  });
}
