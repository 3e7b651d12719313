/** Every message of the wire: its number, its shape, its lane. PROTOCOL.md says what each means. */
import { z } from 'zod';
import { Card } from '../core/card.ts';
import type { ErrorCode } from '../core/errors.ts';
import {
  CARRIED_HEADER_CHARS_MAX,
  ERROR_PARAM_CHARS_MAX,
  ERROR_WORD_CHARS_MAX,
  FIRST_WINDOW_BYTES,
  MODEL_ID_CHARS_MAX,
  NODE_NAME_CHARS_MAX,
  OPERATION_QUERY_CHARS_MAX,
  REQUEST_BODY_BYTES_MAX,
  RETRY_AFTER_SECONDS_MAX,
} from '../core/limits.ts';

/** The wire versions that this build speaks. */
export const WIRE_VERSION_MIN = 1;
export const WIRE_VERSION_MAX = 1;

/** What a node can do that not all of its version can: told in `ready`. */
export const FEATURE = { operations: 'operations' } as const;

export const SUBPROTOCOL = 'clawmatrix.v1';

export const CLOSE = {
  goingAway: 1001,
  refused: 4001,
  silent: 4002,
  replaced: 4003,
  version: 4004,
  strikes: 4005,
  stalled: 4006,
  protocol: 4400,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** Only append to this list. */
export const TYPE = {
  ready: 0x01,
  ping: 0x02,
  pong: 0x03,
  goaway: 0x04,
  rekey: 0x05,
  model_req: 0x10,
  model_body: 0x11,
  model_ack: 0x12,
  model_res: 0x13,
  model_stream: 0x14,
  model_progress: 0x15,
  model_end: 0x16,
  model_reset: 0x17,
  model_credit: 0x18,
  node: 0x20,
  cards: 0x21,
} as const;

/** From here up a type that is not known is ignored. */
export const IGNORABLE_FROM = 0x80;
/** `model_stream`: the event goes on in the next piece. */
export const FLAG_MORE = 1;

/** What Node's HTTP takes as a header's value: one with a line break in it would throw far from here. */
export const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const count = z.int().nonnegative();
const version = z.int().min(1).max(65_535);
const headers = z
  .record(
    z.string().regex(/^[a-z0-9_-]{1,64}$/),
    z.string().max(CARRIED_HEADER_CHARS_MAX).regex(HEADER_VALUE),
  )
  .refine((all) => Object.keys(all).length <= 32, 'at most 32 headers');

export const NodeName = z
  .string()
  .max(NODE_NAME_CHARS_MAX)
  .regex(/^[a-z0-9-]+$/);

/** Of the software. People see it in a terminal: nothing in it may steer one. */
export const SoftwareVersion = z
  .string()
  .max(64)
  .regex(/^[\x20-\x7e]*$/);

export const ReadyHead = z
  .object({
    min: version,
    max: version,
    name: NodeName,
    version: SoftwareVersion,
    epoch: count,
    features: z.array(z.string().max(64)).max(64),
    window: z.int().min(1).max(FIRST_WINDOW_BYTES),
    certificate: z.string().max(8_192),
  })
  .refine(({ min, max }) => min <= max, 'min is over max');

/** What is asked beside a new answer. A word that is not known is the owner's to refuse. */
export const OperationHead = z.object({
  kind: z.string().max(64),
  /** Of the response. */
  id: z.string().max(128).optional(),
  query: z.string().max(OPERATION_QUERY_CHARS_MAX).optional(),
});

export const RequestHead = z.object({
  id: z.string().regex(/^[0-9a-f]{32}$/),
  model: z.string().min(1).max(MODEL_ID_CHARS_MAX),
  provider: z.string().min(1).max(64),
  dialect: Card.shape.dialect,
  stream: z.boolean(),
  session: z.string().max(CARRIED_HEADER_CHARS_MAX).optional(),
  headers,
  operation: OperationHead.optional(),
  /** Another owner is asked where this one refuses. */
  others: z.boolean().optional(),
  bytes: z.int().positive().max(REQUEST_BODY_BYTES_MAX),
});

const word = z.string().max(ERROR_WORD_CHARS_MAX);

export const AckHead = z.object({});
export const ResponseHead = z.object({ status: z.int().min(200).max(599), headers });
/** Any word may stand for what a newer node does: one that is not known counts as waiting. */
export const ProgressHead = z.object({
  state: z.string().max(64),
  doing: z.string().max(64).optional(),
  /** Tokens. */
  done: count.optional(),
  total: count.optional(),
});

export const EndHead = z.object({
  bytes: count,
  finish: z.string().max(64).optional(),
  usage: z.object({ inputTokens: count, outputTokens: count }).optional(),
});

export const ResetHead = z.object({
  code: z.string().max(64),
  message: z.string().max(4_096),
  status: z.int().min(400).max(599).optional(),
  param: z.string().max(ERROR_PARAM_CHARS_MAX).optional(),
  retryAfterSeconds: z.number().nonnegative().max(RETRY_AFTER_SECONDS_MAX).optional(),
  /** The upstream's own words for what happened, which clients act on. */
  upstream: z.object({ code: word.optional(), type: word.optional() }).optional(),
});

export const GoawayHead = z.object({ reason: z.string().max(256) });

export type ReadyHead = z.infer<typeof ReadyHead>;
export type OperationHead = z.infer<typeof OperationHead>;
export type RequestHead = z.infer<typeof RequestHead>;
export type ResponseHead = z.infer<typeof ResponseHead>;
export type ProgressHead = z.infer<typeof ProgressHead>;
export type EndHead = z.infer<typeof EndHead>;
export type ResetHead = Omit<z.infer<typeof ResetHead>, 'code'> & { code: ErrorCode | (string & {}) };
export type GoawayHead = z.infer<typeof GoawayHead>;

/** Frames of one call; `number` is the call's. */
export type CallFrame =
  | { readonly type: 'model_req'; readonly number: number; readonly head: RequestHead }
  | { readonly type: 'model_body'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly type: 'model_ack'; readonly number: number }
  | { readonly type: 'model_res'; readonly number: number; readonly head: ResponseHead }
  | {
      readonly type: 'model_stream';
      readonly number: number;
      readonly bytes: Uint8Array;
      readonly more: boolean;
    }
  | { readonly type: 'model_progress'; readonly number: number; readonly head: ProgressHead }
  | { readonly type: 'model_end'; readonly number: number; readonly head: EndHead }
  | { readonly type: 'model_reset'; readonly number: number; readonly head: ResetHead }
  | { readonly type: 'model_credit'; readonly number: number; readonly offset: number };

/** Signed by the node that it describes; `json` is what the signature covers, byte for byte. */
export type SignedFrame =
  | { readonly type: 'node'; readonly signature: Uint8Array; readonly json: Uint8Array }
  | { readonly type: 'cards'; readonly signature: Uint8Array; readonly json: Uint8Array };

export type LinkFrame =
  | { readonly type: 'ready'; readonly head: ReadyHead }
  | { readonly type: 'ping'; readonly token: Uint8Array }
  | { readonly type: 'pong'; readonly token: Uint8Array; readonly lagMs: number }
  | { readonly type: 'goaway'; readonly head: GoawayHead }
  | { readonly type: 'rekey' };

export type Frame = LinkFrame | CallFrame | SignedFrame;

/** Control goes before calls, calls before gossip. A call's own order counts only inside its lane. */
export function laneOf(frame: Frame): 'control' | 'call' | 'gossip' {
  switch (frame.type) {
    case 'model_req':
    case 'model_body':
    case 'model_res':
    case 'model_stream':
    case 'model_end':
      return 'call';
    case 'node':
    case 'cards':
      return 'gossip';
    default:
      return 'control';
  }
}
