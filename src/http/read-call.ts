/** A client's request as a `Call`: its body valid, and understood as far as routing needs it. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
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
import { CARRIED_HEADER_CHARS_MAX, HOPS_MAX, MODEL_ID_CHARS_MAX } from '../core/limits.ts';
import { asBuffer } from '../dialect/framing/bytes.ts';
import { shapes } from '../dialect/dialects.ts';
import { findModel } from '../dialect/json/model-field.ts';
import type { JsonObject } from '../lib/json.ts';
import { readJsonObject } from './read-json.ts';
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

/** As the path of a request says it. */
export interface AskedFor {
  readonly dialect: Dialect;
  readonly operation?: Operation;
  readonly home?: TargetKey;
}

/** Who asks, and wants to hear of it. */
export interface CallOrigin {
  readonly origin: NodeId;
  readonly report: (progress: Progress) => void;
}

/** A call, and the JSON of its body. */
export interface AskedCall {
  readonly call: Call;
  readonly json: JsonObject;
}

export function callOf(
  visit: Visit,
  { dialect, operation, home }: AskedFor,
  { origin, report }: CallOrigin,
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

function readJson(body: Uint8Array): JsonObject {
  const bytes = asBuffer(body);
  if (!isUtf8(bytes)) throw new ClawError('invalid_json', 'the request body is not UTF-8');
  return readJsonObject(bytes.toString(), 'the request body');
}

function readHead(body: Uint8Array, { model, stream, prompt_cache_key: key, user }: JsonObject): Head {
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
