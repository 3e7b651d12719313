/** The models that this node answers itself. Owns which server each is at and what is sent there; never translates. */
import type { Answer, Call, ModelRef, Reply } from '../core/call.ts';
import { CALL_HEADERS } from '../core/call.ts';
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import { LEFT_OUT_HEADER } from '../core/header-names.ts';
import type { UpstreamSpec } from '../core/upstream-spec.ts';
import { type Shapes, shapes } from '../dialect/dialects.ts';
import { replaceModel } from '../dialect/json/model-field.ts';
import type { DialectShape, Mending } from '../dialect/shape.ts';
import type { Clock } from '../lib/clock.ts';
import { type AddressRefused, refusedLiteral } from './address.ts';
import { type FitTo, fitFor } from './compat/fit-for.ts';
import type { Fitted } from './compat/fitting.ts';
import { trimOf } from './compat/trim.ts';
import { fixedHeaders } from './fixed-headers.ts';
import { gatewayHeaders, unanswered } from './gateway.ts';
import { GatewayIntake } from './gateway-intake.ts';
import { carriedHeaders, type HttpHead, isCarried } from './head.ts';
import { HttpClient } from './http-client.ts';
import type { Intake } from './intake.ts';
import { intakeFor } from './intake-for.ts';
import { LoadingWait, saysLoading } from './loading.ts';
import { operationRequest } from './operation.ts';
import { mendingOf } from './mending.ts';
import { Place } from './place.ts';
import type { HttpReply } from './post.ts';
import { failureReply, refusalReply } from './refusal.ts';

interface Upstream {
  readonly spec: UpstreamSpec;
  readonly place: Place;
  readonly shape: DialectShape;
  readonly path: string;
  readonly refused: AddressRefused | undefined;
  readonly mending: Mending;
  /** Makes a request fit what is known of the server; undefined where nothing of it has to. */
  readonly fit: FitTo | undefined;
  /** What every call sends, names and values in turn; one list without, one with a stream. */
  readonly headers: { readonly whole: readonly string[]; readonly stream: readonly string[] };
}

export interface UpstreamsParts {
  /** This node's name, for messages. */
  readonly nodeName: string;
  readonly clock: Clock;
  /** Absent: all that there are. */
  readonly shapes?: Shapes;
}

export class Upstreams {
  readonly #parts: UpstreamsParts;
  readonly #client: HttpClient;
  #upstreams: readonly Upstream[] = [];
  /** Several providers may have a model of the same name. */
  readonly #byId = new Map<string, readonly Upstream[]>();

  constructor(specs: readonly UpstreamSpec[], parts: UpstreamsParts) {
    this.#parts = parts;
    this.#client = new HttpClient(parts.clock);
    this.replace(specs);
  }

  get cards(): readonly Card[] {
    return this.#upstreams.map(({ spec: { card } }) => card);
  }

  /** From now on these are the models; calls that run keep the upstream that they began with. */
  replace(specs: readonly UpstreamSpec[]): void {
    this.#upstreams = specs.map((spec) => upstreamOf(spec, this.#parts));
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
    const body = replaceModel(call.body, spec.gateway?.agent ?? spec.card.id);
    const { operation } = call;
    const beside = operation === undefined ? undefined : operationRequest(operation, spec, place);
    const fitted = beside?.hasBody === false ? undefined : upstream.fit?.(body, call.stream);
    let loading: LoadingWait | undefined;
    const request = {
      place,
      path: beside?.path ?? path,
      method: beside?.method ?? 'POST',
      headers: requestHeaders(upstream, call),
      body: beside?.hasBody === false ? null : (fitted?.body ?? body),
      silenceMs: spec.silenceMs,
      intake: (head: HttpHead) => {
        // Before its first bytes, which may tell of what comes next.
        if (head.status < 400) loading?.over();
        return intakeOf(head, call, upstream, fitted);
      },
    };
    for (;;) {
      const posted = this.#client.post(request, signal);
      const reply = await (spec.gateway === undefined ? posted : posted.catch(explain));
      if (reply.status < 400 && reply.failure === undefined) {
        const form = call.stream ? upstream.shape.framing.contentType : 'application/json';
        return accept(reply, form, fitted?.leftOut);
      }
      const said = await wordsOf(reply);
      if (call.others !== true && saysLoading(reply.status, said)) {
        loading ??= new LoadingWait({ clock: this.#parts.clock, call, signal, patienceMs: spec.silenceMs });
        if (await loading.again()) continue;
      }
      return refuse(reply, said, place);
    }
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

function upstreamOf(
  spec: UpstreamSpec,
  { nodeName, clock, shapes: known = shapes }: UpstreamsParts,
): Upstream {
  const url = new URL(spec.baseUrl);
  const shape = known[spec.card.dialect];
  return {
    spec,
    shape,
    headers: {
      whole: sentHeaders(spec, 'application/json', shape),
      stream: sentHeaders(spec, shape.framing.mediaType, shape),
    },
    place: new Place(nodeName, spec),
    path: `${url.pathname.replace(/\/+$/, '')}${shape.path}${url.search}`,
    refused: refusedLiteral(url),
    mending: mendingOf(spec, () => clock.wall()),
    fit: fitFor(spec),
  };
}

function sentHeaders(spec: UpstreamSpec, accept: string, shape: DialectShape): readonly string[] {
  const fixed = fixedHeaders(spec, accept, shape);
  return Object.entries({ ...fixed, 'content-type': 'application/json', ...gatewayHeaders(spec) }).flat();
}

function intakeOf(head: HttpHead, call: Call, upstream: Upstream, fitted: Fitted | undefined): Intake {
  const trim = fitted === undefined ? undefined : trimOf(fitted, call.report);
  const intake = intakeFor(head, call, trim === undefined ? upstream : { ...upstream, trim });
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

function accept(reply: HttpReply, form: string, leftOut: readonly string[] = []): Reply {
  const headers = carriedHeaders(reply);
  const names = leftOut.join(', ');
  if (names !== '' && isCarried(names)) headers[LEFT_OUT_HEADER] = names;
  headers['content-type'] = form;
  return { status: reply.status, headers, body: reply.body, ended: reply.ended };
}

/** Handed over once it is whole or enough: everything that will be looked at waits in one piece. */
async function wordsOf({ body, failure }: HttpReply): Promise<string> {
  const { value } = failure === undefined ? await body.next() : {};
  await body.return();
  return Buffer.from(value ?? '').toString();
}

function refuse(reply: HttpReply, said: string, place: Place): Reply {
  return reply.failure === undefined
    ? refusalReply(reply, said, place)
    : failureReply(reply, reply.failure, place);
}
