/** Frames to bytes and back. No I/O; a fault is a value that names the close code it earns. */
import type { z } from 'zod';
import {
  FRAME_HEAD_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  NODE_RECORD_BYTES_MAX,
  RECORD_PLAIN_BYTES_MAX,
} from '../core/limits.ts';
import {
  AckHead,
  CLOSE,
  type CloseCode,
  EndHead,
  FLAG_MORE,
  type Frame,
  GoawayHead,
  IGNORABLE_FROM,
  ProgressHead,
  ReadyHead,
  RequestHead,
  ResetHead,
  ResponseHead,
  TYPE,
} from './frame.ts';

/** A frame as it travels: its payload may be a view into bytes that belong to someone else, never written to. */
export interface PackedFrame {
  readonly type: number;
  readonly flags: number;
  readonly number: number;
  readonly payload: Uint8Array;
}

export interface Fault {
  readonly closeCode: CloseCode;
  /** For the local log; the peer is told the code alone. */
  readonly reason: string;
}

const SIGNATURE_BYTES = 64;
const TOKEN_BYTES = 8;
const LAG_BYTES = 4;
const OFFSET_BYTES = 8;
const NOTHING = new Uint8Array(0);

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value), 'utf8');

export function pack(frame: Frame): PackedFrame {
  const type = TYPE[frame.type];
  const number = 'number' in frame ? frame.number : 0;
  const flags = frame.type === 'model_stream' && frame.more ? FLAG_MORE : 0;
  return { type, flags, number, payload: payloadOf(frame) };
}

function payloadOf(frame: Frame): Uint8Array {
  switch (frame.type) {
    case 'model_body':
    case 'model_stream':
      return frame.bytes;
    case 'model_ack':
      return json({});
    case 'model_credit': {
      const offset = Buffer.alloc(OFFSET_BYTES);
      offset.writeBigUInt64BE(BigInt(frame.offset));
      return offset;
    }
    case 'ping':
      return frame.token;
    case 'pong': {
      const lag = Buffer.alloc(LAG_BYTES);
      lag.writeUInt32BE(Math.min(Math.round(frame.lagMs), 0xffff_ffff));
      return Buffer.concat([frame.token, lag]);
    }
    case 'rekey':
      return NOTHING;
    case 'node':
    case 'cards':
      return Buffer.concat([frame.signature, frame.json]);
    default:
      return json(frame.head);
  }
}

export function packedBytes(frame: PackedFrame): number {
  return FRAME_HEADER_BYTES + frame.payload.length;
}

/** Whole frames in one piece: the plaintext of a record. The caller sees to it that they fit. */
export function joinFrames(frames: readonly PackedFrame[], bytes: number): Buffer {
  const plain = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const frame of frames) {
    plain.writeUInt8(frame.type, at);
    plain.writeUInt8(frame.flags, at + 1);
    plain.writeUInt16BE(frame.payload.length, at + 2);
    plain.writeUInt32BE(frame.number, at + 4);
    plain.set(frame.payload, at + FRAME_HEADER_BYTES);
    at += packedBytes(frame);
  }
  return plain;
}

/**
 * Hands every frame of a record's plaintext to `onFrame`, in order, until one is not right or `onFrame` says stop.
 * Payloads are views into `plain`.
 */
export function readFrames(plain: Buffer, onFrame: (frame: Frame) => 'go on' | 'stop'): Fault | undefined {
  if (plain.length === 0 || plain.length > RECORD_PLAIN_BYTES_MAX) {
    return { closeCode: CLOSE.refused, reason: `record of ${plain.length} bytes` };
  }
  let at = 0;
  while (at < plain.length) {
    if (at + FRAME_HEADER_BYTES > plain.length) return protocolFault('frame header is cut');
    const start = at + FRAME_HEADER_BYTES;
    const end = start + plain.readUInt16BE(at + 2);
    if (end > plain.length) return protocolFault('frame runs over its record');
    const packed = {
      type: plain.readUInt8(at),
      flags: plain.readUInt8(at + 1),
      number: plain.readUInt32BE(at + 4),
      payload: plain.subarray(start, end),
    };
    at = end;
    const read = unpack(packed);
    if ('closeCode' in read) return read;
    if ('ignored' in read) continue;
    if (read.frame.type === 'rekey' && at < plain.length) return protocolFault('rekey is not the last frame');
    if (onFrame(read.frame) === 'stop') return undefined;
  }
  return undefined;
}

type Unpacked = { readonly frame: Frame } | { readonly ignored: number } | Fault;
type Payload = { readonly number: number; readonly flags: number; readonly payload: Buffer };

const readers = new Map<number, (packed: Payload) => Unpacked>([
  [TYPE.ready, headless(ReadyHead, (head) => ({ type: 'ready', head }))],
  [TYPE.goaway, headless(GoawayHead, (head) => ({ type: 'goaway', head }))],
  [TYPE.ping, exactly(TOKEN_BYTES, ({ payload }) => ({ type: 'ping', token: payload }))],
  [
    TYPE.pong,
    exactly(TOKEN_BYTES + LAG_BYTES, ({ payload }) => ({
      type: 'pong',
      token: payload.subarray(0, TOKEN_BYTES),
      lagMs: payload.readUInt32BE(TOKEN_BYTES),
    })),
  ],
  [TYPE.rekey, exactly(0, () => ({ type: 'rekey' }))],
  [TYPE.model_req, ofCall(RequestHead, (number, head) => ({ type: 'model_req', number, head }))],
  [TYPE.model_ack, ofCall(AckHead, (number) => ({ type: 'model_ack', number }))],
  [TYPE.model_res, ofCall(ResponseHead, (number, head) => ({ type: 'model_res', number, head }))],
  [TYPE.model_progress, ofCall(ProgressHead, (number, head) => ({ type: 'model_progress', number, head }))],
  [TYPE.model_end, ofCall(EndHead, (number, head) => ({ type: 'model_end', number, head }))],
  [TYPE.model_reset, ofCall(ResetHead, (number, head) => ({ type: 'model_reset', number, head }))],
  [TYPE.model_body, raw(({ number, payload }) => ({ type: 'model_body', number, bytes: payload }))],
  [
    TYPE.model_stream,
    raw(({ number, payload, flags }) => ({
      type: 'model_stream',
      number,
      bytes: payload,
      more: (flags & FLAG_MORE) !== 0,
    })),
  ],
  [TYPE.model_credit, credit],
  [TYPE.node, signed('node')],
  [TYPE.cards, signed('cards')],
]);

function unpack(packed: Payload & { readonly type: number }): Unpacked {
  const reader = readers.get(packed.type);
  if (reader !== undefined) return reader(packed);
  if (packed.type >= IGNORABLE_FROM) return { ignored: packed.type };
  return protocolFault(`frame type 0x${packed.type.toString(16)} is not known`);
}

function protocolFault(reason: string): Fault {
  return { closeCode: CLOSE.protocol, reason };
}

/** A JSON head about no call. */
function headless<T>(schema: z.ZodType<T>, build: (head: T) => Frame) {
  return (packed: Payload): Unpacked => {
    if (packed.number !== 0) return protocolFault('a call number where there is none');
    const head = readHead(schema, packed.payload);
    return 'closeCode' in head ? head : { frame: build(head.value) };
  };
}

function ofCall<T>(schema: z.ZodType<T>, build: (number: number, head: T) => Frame) {
  return (packed: Payload): Unpacked => {
    if (packed.number === 0) return protocolFault('no call number');
    const head = readHead(schema, packed.payload);
    return 'closeCode' in head ? head : { frame: build(packed.number, head.value) };
  };
}

function raw(build: (packed: Payload) => Frame) {
  return (packed: Payload): Unpacked => {
    if (packed.number === 0) return protocolFault('no call number');
    if (packed.payload.length === 0) return protocolFault('a data frame without data');
    return { frame: build(packed) };
  };
}

function exactly(bytes: number, build: (packed: Payload) => Frame) {
  return (packed: Payload): Unpacked => {
    if (packed.number !== 0) return protocolFault('a call number where there is none');
    if (packed.payload.length !== bytes)
      return protocolFault(`payload of ${packed.payload.length} bytes, not ${bytes}`);
    return { frame: build(packed) };
  };
}

function credit(packed: Payload): Unpacked {
  if (packed.number === 0 || packed.payload.length !== OFFSET_BYTES)
    return protocolFault('credit is malformed');
  const offset = packed.payload.readBigUInt64BE();
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) return protocolFault('credit beyond 2^53');
  return { frame: { type: 'model_credit', number: packed.number, offset: Number(offset) } };
}

function signed(type: 'node' | 'cards') {
  const most = type === 'node' ? SIGNATURE_BYTES + NODE_RECORD_BYTES_MAX : FRAME_PAYLOAD_BYTES_MAX;
  return (packed: Payload): Unpacked => {
    if (packed.number !== 0) return protocolFault('a call number where there is none');
    if (packed.payload.length <= SIGNATURE_BYTES || packed.payload.length > most) {
      return protocolFault(`${type} of ${packed.payload.length} bytes`);
    }
    const signature = packed.payload.subarray(0, SIGNATURE_BYTES);
    return { frame: { type, signature, json: packed.payload.subarray(SIGNATURE_BYTES) } };
  };
}

function readHead<T>(schema: z.ZodType<T>, payload: Buffer): { readonly value: T } | Fault {
  if (payload.length > FRAME_HEAD_BYTES_MAX) return protocolFault(`head of ${payload.length} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.toString('utf8'));
  } catch {
    return protocolFault('head is not JSON');
  }
  const checked = schema.safeParse(parsed);
  if (checked.success) return { value: checked.data };
  const [issue] = checked.error.issues;
  return protocolFault(`head: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not right'}`);
}
