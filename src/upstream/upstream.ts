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
import { fixedHeaders } from './fixed-headers.ts';
import { gatewayHeaders, unanswered } from './gateway.ts';
import { GatewayIntake } from './gateway-intake.ts';
import { carriedHeaders, EVENTS_TYPE, type HttpHead, isCarried } from './head.ts';
import { HttpClient } from './http-client.ts';
import type { Intake } from './intake.ts';
import { intakeFor } from './intake-for.ts';
import { Place } from './place.ts';
import type { HttpReply } from './post.ts';
import { failureReply, refusalReply } from './refusal.ts';

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
  /** Several providers may have a model of the same name. */
  readonly #byId = new Map<string, readonly Upstream[]>();

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
    this.#byId.clear();
    for (const upstream of this.#upstreams) {
      const { id } = upstream.spec.card;
      this.#byId.set(id, [...(this.#byId.get(id) ?? []), upstream]);
    }
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
    const request = {
      place,
      path,
      headers: requestHeaders(upstream, call),
      body: replaceModel(call.body, spec.gateway?.agent ?? spec.card.id),
      silenceMs: spec.silenceMs,
      intake: (head: HttpHead) => intakeOf(head, call, upstream),
    };
    const posted = this.#client.post(request, signal);
    const reply = await (spec.gateway === undefined ? posted : posted.catch(explain));
    return reply.status >= 400 || reply.failure !== undefined ? refuse(reply, place) : accept(reply, call);
  };

  /** Cuts the calls that still run. */
  async close(): Promise<void> {
    await this.#client.close();
  }

  #find({ id, provider }: ModelRef): Upstream {
    const found = (this.#byId.get(id) ?? []).filter(
      ({ spec: { card } }) => provider === undefined || card.provider === provider,
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
      whole: sentHeaders(spec, 'application/json'),
      stream: sentHeaders(spec, EVENTS_TYPE),
    },
    place: new Place(nodeName, spec),
    path: `${url.pathname.replace(/\/+$/, '')}${shape.path}${url.search}`,
    refused: refusedLiteral(url),
  };
}

function sentHeaders(spec: UpstreamSpec, accept: string): readonly string[] {
  const fixed = fixedHeaders(spec, accept);
  return Object.entries({ ...fixed, 'content-type': 'application/json', ...gatewayHeaders(spec) }).flat();
}

function intakeOf(head: HttpHead, call: Call, upstream: Upstream): Intake {
  const intake = intakeFor(head, call, upstream);
  if (upstream.spec.gateway === undefined || head.status >= 400) return intake;
  return new GatewayIntake(intake, upstream.place);
}

function explain(error: unknown): never {
  throw unanswered(error);
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
  if (reply.failure !== undefined) {
    await reply.body.return();
    return failureReply(reply, reply.failure, place);
  }
  // Handed over once it is whole or enough: everything that will be looked at waits in one piece.
  const { value } = await reply.body.next();
  await reply.body.return();
  return refusalReply(reply, Buffer.from(value ?? '').toString(), place);
}
