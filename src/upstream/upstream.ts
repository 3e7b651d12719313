/** The models that this node answers itself. Owns which server each is at and what is sent there; never translates. */
import type { Answer, Call, ModelRef, Reply } from '../core/call.ts';
import { CALL_HEADERS } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import { shapes } from '../dialect/dialects.ts';
import { replaceModel } from '../dialect/model-field.ts';
import type { DialectShape } from '../dialect/shape.ts';
import type { Clock } from '../lib/clock.ts';
import { type AddressRefused, refusedLiteral } from './address.ts';
import { carriedHeaders, EVENTS_TYPE, isCarried } from './head.ts';
import { HttpClient } from './http-call.ts';
import { intakeFor } from './intake-for.ts';
import { Place } from './place.ts';
import type { HttpReply } from './post.ts';
import { refusalReply } from './refusal.ts';

/** Ours alone: neither a caller nor the configuration's `headers` can set them. */
const OWNED_HEADERS = new Set([
  'authorization',
  'host',
  'content-length',
  'content-type',
  'accept-encoding',
  'transfer-encoding',
  'connection',
]);

interface Upstream {
  readonly spec: UpstreamSpec;
  readonly place: Place;
  readonly shape: DialectShape;
  readonly path: string;
  readonly refused: AddressRefused | undefined;
  /** What every call sends, names and values in turn; one list without, one with a stream. */
  readonly headers: { readonly whole: readonly string[]; readonly stream: readonly string[] };
}

export interface UpstreamsParts {
  /** This node's name, for messages. */
  readonly nodeName: string;
  readonly clock: Clock;
}

export class Upstreams {
  readonly #nodeName: string;
  readonly #client: HttpClient;
  #upstreams: readonly Upstream[] = [];

  constructor(specs: readonly UpstreamSpec[], { nodeName, clock }: UpstreamsParts) {
    this.#nodeName = nodeName;
    this.#client = new HttpClient(clock);
    this.replace(specs);
  }

  get cards(): readonly Card[] {
    return this.#upstreams.map(({ spec: { card } }) => card);
  }

  /** From now on these are the models; calls that run keep the upstream that they began with. */
  replace(specs: readonly UpstreamSpec[]): void {
    this.#upstreams = specs.map((spec) => upstreamOf(spec, this.#nodeName));
  }

  /** Answers a call whose model is one of the cards. */
  readonly answer: Answer = async (call, signal) => {
    const upstream = this.#find(call.model);
    const { spec, place, path, refused } = upstream;
    if (call.dialect !== spec.card.dialect)
      throw new ClawError(
        'internal',
        place.say(`a ${call.dialect} call was not translated for its upstream`),
      );
    if (refused !== undefined)
      throw new ClawError('upstream_unreachable', place.say(refused.message), { cause: refused });
    const reply = await this.#client.post(
      {
        place,
        path,
        headers: requestHeaders(upstream, call),
        body: replaceModel(call.body, spec.card.id),
        silenceMs: spec.silenceMs,
        intake: (head) => intakeFor(head, call.stream, upstream),
      },
      signal,
    );
    return reply.status >= 400 ? refuse(reply, place) : accept(reply, call);
  };

  /** Cuts the calls that still run. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  #find({ id, provider }: ModelRef): Upstream {
    const found = this.#upstreams.filter(
      ({ spec: { card } }) => card.id === id && (provider === undefined || card.provider === provider),
    );
    const [first, second] = found;
    if (first === undefined) throw new ClawError('model_not_found', `this node has no model "${id}"`);
    if (second !== undefined) {
      const names = found.map(({ spec: { card } }) => `${card.provider}/${card.id}`).join(', ');
      throw new ClawError('model_ambiguous', `several providers have a model "${id}": ${names}`);
    }
    return first;
  }
}

function upstreamOf(spec: UpstreamSpec, nodeName: string): Upstream {
  const url = new URL(spec.baseUrl);
  const shape = shapes[spec.card.dialect];
  return {
    spec,
    shape,
    headers: {
      whole: fixedHeaders(spec, 'application/json'),
      stream: fixedHeaders(spec, EVENTS_TYPE),
    },
    place: new Place(nodeName, spec),
    path: `${url.pathname.replace(/\/+$/, '')}${shape.path}${url.search}`,
    refused: refusedLiteral(url),
  };
}

function fixedHeaders(spec: UpstreamSpec, accept: string): readonly string[] {
  const fixed: Record<string, string> = { 'user-agent': 'clawmatrix' };
  for (const [name, value] of Object.entries(spec.headers)) {
    if (!OWNED_HEADERS.has(name.toLowerCase())) fixed[name.toLowerCase()] = value;
  }
  fixed.accept = accept;
  fixed['accept-encoding'] = 'identity';
  fixed['content-type'] = 'application/json';
  // The whole request goes to the origin that the key was configured for: redirects are not followed.
  if (spec.apiKey !== undefined) fixed.authorization = `Bearer ${spec.apiKey}`;
  return Object.entries(fixed).flat();
}

/** The call's own in place of what is configured under the same name. */
function requestHeaders({ headers }: Upstream, call: Call): readonly string[] {
  const sent = [...(call.stream ? headers.stream : headers.whole)];
  for (const name of CALL_HEADERS) {
    const value = call.headers[name];
    if (value !== undefined && isCarried(value)) put(sent, name, value);
  }
  put(sent, 'x-request-id', call.id);
  return sent;
}

function put(headers: string[], name: string, value: string): void {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== name) continue;
    headers[at + 1] = value;
    return;
  }
  headers.push(name, value);
}

function accept(reply: HttpReply, call: Call): Reply {
  const headers = carriedHeaders(reply);
  headers['content-type'] = call.stream ? `${EVENTS_TYPE}; charset=utf-8` : 'application/json';
  return { status: reply.status, headers, body: reply.body, ended: reply.ended };
}

async function refuse(reply: HttpReply, place: Place): Promise<Reply> {
  // Handed over once it is whole or enough: everything that will be looked at waits in one piece.
  const { value } = await reply.body.next();
  await reply.body.return();
  return refusalReply(reply, Buffer.from(value ?? '').toString(), place);
}
