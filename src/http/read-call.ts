/** A client's request as a `Call`: its body bounded, valid and understood as far as routing needs it. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  CALL_HEADERS,
  type Call,
  type Dialect,
  type Headers,
  type Operation,
  type Progress,
  type TargetKey,
} from '../core/call.ts';
import { ClawError } from '../core/errors.ts';
import { HOPS_HEADER } from '../core/header-names.ts';
import type { NodeId } from '../core/ids.ts';
import {
  BUSY_RETRY_SECONDS,
  CARRIED_HEADER_CHARS_MAX,
  HOPS_MAX,
  HTTP_REQUEST_MS,
  MODEL_ID_CHARS_MAX,
  REQUEST_BODY_BYTES_MAX,
} from '../core/limits.ts';
import { shapes } from '../dialect/dialects.ts';
import { findModel } from '../dialect/model-field.ts';
import type { Budget } from '../lib/budget.ts';
import { tooLarge } from './guard.ts';
import { jsonFault } from './json-fault.ts';
import type { Visit } from './visit.ts';

/** The part that routing needs; all else is the upstream's to judge. */
interface Head {
  readonly model: string;
  /** Undefined where the request does not say. */
  readonly stream: boolean | undefined;
  /** What names the conversation, where no header does. */
  readonly session: string | undefined;
}

/** In this order, the first that is there names the conversation. */
const SESSION_HEADERS = ['x-session-affinity', 'session_id', 'session-id', 'x-session-id'];

/** The bytes of a request, taken out of a budget until `release`. */
export interface HeldBody {
  readonly bytes: Uint8Array;
  release(): void;
}

export interface CallOrigin {
  readonly dialect: Dialect;
  readonly operation?: Operation;
  readonly home?: TargetKey;
  readonly origin: NodeId;
  readonly report: (progress: Progress) => void;
}

/** A call, and the JSON of its body. */
export interface AskedCall {
  readonly call: Call;
  readonly json: Json;
}

type Json = Readonly<Record<string, unknown>>;

export function callOf(
  visit: Visit,
  { dialect, operation, home, origin, report }: CallOrigin,
  body: Uint8Array,
): AskedCall {
  const json = readJson(body);
  const head = readHead(body, json);
  const headers = carriedHeaders(visit.request);
  const session = sessionOf(headers, head);
  const call: Call = {
    id: visit.id,
    origin,
    dialect,
    model: { id: head.model },
    // The other operations answer in one piece, whatever they are asked for.
    stream: operation === undefined && (head.stream ?? shapes[dialect].streamsByDefault ?? false),
    headers,
    body,
    ...(operation === undefined ? {} : { operation }),
    ...(home === undefined ? {} : { home }),
    ...(session === undefined ? {} : { session }),
    report,
  };
  return { call, json };
}

function readJson(body: Uint8Array): Json {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!isUtf8(bytes)) throw new ClawError('invalid_json', 'the request body is not UTF-8');
  const text = bytes.toString();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const { line, column, expected } = jsonFault(text);
    const where = `line ${line}, column ${column}: expected ${expected}`;
    throw new ClawError('invalid_json', `the request body is not valid JSON at ${where}`);
  }
  if (!isObject(parsed)) throw new ClawError('bad_request', 'the request body must be a JSON object');
  return parsed;
}

function readHead(body: Uint8Array, { model, stream, prompt_cache_key: key, user }: Json): Head {
  // The parser takes the last of two: what is routed by and what the upstream reads must be one.
  findModel(body);
  const session = typeof key === 'string' ? key : user;
  return {
    model: modelName(model),
    stream: streamFlag(stream),
    session: typeof session === 'string' && session !== '' ? session : undefined,
  };
}

function modelName(model: unknown): string {
  if (typeof model !== 'string') throw notValid('model', 'must be a string');
  if (model === '') throw notValid('model', 'must not be empty');
  if (model.length > MODEL_ID_CHARS_MAX) throw notValid('model', 'is too long');
  return model;
}

function streamFlag(stream: unknown): boolean | undefined {
  if (stream === undefined || stream === null) return undefined;
  if (typeof stream !== 'boolean') throw notValid('stream', 'must be true or false');
  return stream;
}

function notValid(param: string, what: string): ClawError {
  return new ClawError('bad_request', `\`${param}\` ${what}`, { param });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What of the client's headers a call takes with it. Throws for a call that goes in a circle. */
export function carriedHeaders(request: IncomingMessage): Headers {
  const carried: Record<string, string> = {};
  for (const name of CALL_HEADERS) {
    const value = request.headers[name];
    if (typeof value === 'string' && value.length <= CARRIED_HEADER_CHARS_MAX) carried[name] = value;
  }
  carried[HOPS_HEADER] = String(hopsOf(request.headers[HOPS_HEADER]) + 1);
  return carried;
}

function hopsOf(told: string | string[] | undefined): number {
  const hops = Number(told ?? 0);
  if (!Number.isInteger(hops) || hops < 0) return 0;
  if (hops < HOPS_MAX) return hops;
  const text = `this call came through ${hops} proxies of nodes: one has another as its provider, and that one it; use "peers" in place of a provider`;
  throw new ClawError('loop_detected', text);
}

function sessionOf(headers: Headers, { session }: Head): string | undefined {
  for (const name of SESSION_HEADERS) {
    const value = headers[name];
    if (value !== undefined && value !== '') return value;
  }
  return session?.slice(0, CARRIED_HEADER_CHARS_MAX);
}

/** Reads the whole body, or rejects with what the client did wrong; the signal says that it left. */
export function readBody(
  { request, clock }: Visit,
  response: ServerResponse,
  budget: Budget,
): Promise<HeldBody> {
  return new Promise((resolve, reject) => {
    const declared = request.headers['content-length'];
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    let taken = 0;
    const cancel = clock.after(HTTP_REQUEST_MS, () => {
      const seconds = HTTP_REQUEST_MS / 1000;
      fail(new ClawError('request_timeout', `the request body did not arrive within ${seconds} s`));
    });
    const release = () => {
      budget.give(taken);
      taken = 0;
    };
    const over = () => {
      cancel();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const fail = (error: ClawError) => {
      over();
      release();
      request.pause();
      reject(error);
    };
    const take = (wanted: number): boolean => {
      if (!budget.take(wanted)) {
        const detail = { retryAfterSeconds: BUSY_RETRY_SECONDS };
        fail(new ClawError('busy', 'this node holds as many request bodies as it may', detail));
        return false;
      }
      taken += wanted;
      return true;
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > REQUEST_BODY_BYTES_MAX) return fail(tooLarge());
      if (bytes > taken && !take(bytes - taken)) return;
      chunks.push(chunk);
    };
    const onEnd = () => {
      over();
      const [first] = chunks;
      const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, bytes);
      resolve({ bytes: whole, release });
    };
    const onClose = () => fail(new ClawError('cancelled', 'the client left before its request was whole'));
    if (declared !== undefined && !take(Number(declared))) return;
    request.on('data', onData).once('end', onEnd).once('close', onClose);
    if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  });
}
