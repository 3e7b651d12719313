/** Plays one case: asks as its client, answers as its upstream, and tells what was not as the case says. */
import type { IncomingHttpHeaders } from 'node:http';
import { ask, type Told } from '../test/http/ask.ts';
import { checkChatStream } from '../test/support/chat-rules.ts';
import { checkResponsesStream } from '../test/support/responses-rules.ts';
import type { Script, SeenRequest } from '../test/support/scripted-upstream.ts';
import { clientEvents } from '../test/support/sse-text.ts';
import type { Case, Step } from './case.ts';
import { Comparison, isObject } from './difference.ts';
import { Placeholders } from './placeholders.ts';
import { expectedResponse } from './response-object.ts';
import { play, scriptedReply } from './scripted-reply.ts';
import { wholeEvents } from './short-forms.ts';

/** By this header, which nodes pass on, the upstream knows whose call it has. */
const CALL = 'x-client-request-id';
/** One wrong event mostly makes all that follow it wrong. */
const FAULTS_SHOWN = 12;
const TEXT_SHOWN = 600;
const PATHS = { chat: '/chat/completions', responses: '/responses' };

/** The daemons of a run, seen from outside. */
export interface Place {
  /** The entry's proxy, with `/v1`. */
  readonly url: string;
  /** As a client names the model that this case is about, and as its upstream is asked for it. */
  readonly modelOf: (one: Case) => { readonly asked: string; readonly owned: string };
  /** Scripts of the calls that run, by their header. */
  readonly scripts: Map<string, Script>;
}

export interface Played {
  /** Nothing of it is wrong where this is empty. */
  readonly faults: readonly string[];
  /** What the client got last, for the judges. */
  readonly told: Told | undefined;
}

export async function playCase(one: Case, place: Place): Promise<Played> {
  const { asked, owned } = place.modelOf(one);
  const names = new Placeholders({ model: asked, up: owned });
  let told: Told | undefined;
  const steps = [...one.before, one];
  for (const [index, step] of steps.entries()) {
    names.nextCall();
    const player = new StepPlayer(one, step, names);
    told = await player.ask(place, `${one.name}#${index}`);
    const faults = player.faults(told);
    if (faults.length > 0) {
      const where = step === one ? '' : `call ${index + 1} of ${steps.length}: `;
      return { faults: faults.map((fault) => where + fault), told };
    }
  }
  return { faults: [], told };
}

/** The script for a server that several calls reach at once. */
export function scriptOf(scripts: ReadonlyMap<string, Script>): Script {
  return (response, request) => {
    const script = scripts.get(String(request.headers[CALL]));
    if (script === undefined) response.writeHead(500).end('a call without a script');
    else script(response, request);
  };
}

/** Waits for a piece of text in what the client has got. */
class Sight {
  readonly come: Promise<void>;
  readonly look: (text: string) => void;

  constructor(wanted = '') {
    let settle: () => void = () => {};
    this.come = new Promise((resolve) => {
      settle = resolve;
    });
    this.look = (text) => {
      if (text.includes(wanted)) settle();
    };
    this.look('');
  }
}

class StepPlayer {
  readonly #case: Case;
  readonly #step: Step & { readonly stream: boolean };
  readonly #names: Placeholders;
  readonly #requests: SeenRequest[] = [];

  constructor(one: Case, step: Step & { readonly stream: boolean }, names: Placeholders) {
    this.#case = one;
    this.#step = step;
    this.#names = names;
  }

  async ask({ url, scripts }: Place, id: string): Promise<Told> {
    const { method, path = PATHS[this.#case.client], headers, request, reply, stream } = this.#step;
    const script = scriptedReply(reply, this.#case.upstream, this.#names);
    const seen = new Sight(reply.late?.seen);
    scripts.set(id, (response, request) => {
      this.#requests.push(request);
      void play(script, response, seen.come);
    });
    const body = { model: '<model>', ...request, ...(stream ? { stream } : {}) };
    try {
      return await ask(url + String(this.#names.filled(path)), {
        method,
        headers: { [CALL]: id, ...headers },
        ...(method === 'POST' ? { body: JSON.stringify(this.#names.filled(body)) } : {}),
        onText: seen.look,
        unchecked: 'the case is judged as a whole',
      });
    } finally {
      // An answer that never shows it would keep the upstream waiting.
      seen.look(reply.late?.seen ?? '');
      scripts.delete(id);
    }
  }

  faults(told: Told): readonly string[] {
    const { expect } = this.#step;
    if (told.status !== expect.status)
      return [`status ${told.status} in place of ${expect.status}: ${told.text.slice(0, TEXT_SHOWN)}`];
    return [
      ...endFaults(told.whole, expect.end),
      ...headerFaults(told.headers, expect.headers, 'header'),
      ...this.#upstreamFaults(),
      ...this.#bodyFaults(told),
    ];
  }

  #upstreamFaults(): readonly string[] {
    const { expectUpstream: expected } = this.#step;
    const [request, ...more] = this.#requests;
    if (expected === 'nothing') return request === undefined ? [] : ['the upstream was asked'];
    if (request === undefined) return this.#step.method === 'POST' ? ['the upstream was not asked'] : [];
    const body: unknown = JSON.parse(request.body.toString());
    return [
      ...(more.length === 0 ? [] : [`the upstream was asked ${more.length + 1} times`]),
      ...new Comparison(this.#names, 'part').differences(body, expected.body, 'upstream'),
      ...expected.absent
        .filter((path) => isAt(body, path))
        .map((path) => `upstream.${path}: must not be sent`),
      ...headerFaults(request.headers, expected.headers, 'upstream header'),
    ];
  }

  #bodyFaults(told: Told): readonly string[] {
    const { events, json, error, same } = this.#step.expect;
    try {
      if (same) return this.#sameFaults(told);
      if (events !== undefined) return this.#streamFaults(told.text);
      const body: unknown = JSON.parse(told.text);
      if (error !== undefined)
        return new Comparison(this.#names, 'part').differences(body, { error }, 'body');
      return new Comparison(this.#names, 'whole').differences(body, this.#whole(json), 'body');
    } catch (thrown) {
      return [`${String(thrown)}: ${told.text.slice(0, TEXT_SHOWN)}`];
    }
  }

  #sameFaults({ text }: Told): readonly string[] {
    const sent = scriptedReply(this.#step.reply, this.#case.upstream, this.#names).bytes.toString();
    return text === sent ? [] : [`other bytes than the upstream's: ${text.slice(0, TEXT_SHOWN)}`];
  }

  #streamFaults(text: string): readonly string[] {
    const { client } = this.#case;
    const actual = clientEvents(text);
    const expected = wholeEvents(this.#step.expect.events ?? [], client, this.#speaker());
    const found = new Comparison(this.#names, 'whole').differences(actual, expected, 'events');
    if (found.length > 0) return found.slice(0, FAULTS_SHOWN);
    return this.#isOurs ? ruleFaults(client, actual) : [];
  }

  /** A Response object may be written short where it is ours. */
  #whole(json: unknown): unknown {
    if (!this.#isOurs || this.#case.client === 'chat' || !isObject(json) || !isObject(json.response))
      return json;
    return expectedResponse(this.#step.request, { status: 'completed', ...json.response });
  }

  #speaker() {
    return this.#isOurs
      ? ({ who: 'ours', request: this.#step.request } as const)
      : ({ who: 'upstream' } as const);
  }

  get #isOurs(): boolean {
    return this.#case.client !== this.#case.upstream;
  }
}

function endFaults(whole: boolean, expected: Step['expect']['end']): readonly string[] {
  if (expected === 'any' || whole === (expected === 'clean')) return [];
  return [whole ? 'the end is clean' : 'the end is cut'];
}

function ruleFaults(client: Case['client'], events: readonly unknown[]): readonly string[] {
  try {
    if (client === 'chat') checkChatStream(events);
    else checkResponsesStream(events);
    return [];
  } catch (breach) {
    return [String(breach)];
  }
}

function headerFaults(
  actual: IncomingHttpHeaders,
  expected: Readonly<Record<string, string | null>>,
  what: string,
): readonly string[] {
  return Object.entries(expected).flatMap(([name, value]) => {
    const told = actual[name] ?? null;
    if (told === value || (value === '<any>' && told !== null)) return [];
    return [`${what} ${name}: ${String(told)} in place of ${value}`];
  });
}

function isAt(value: unknown, path: string): boolean {
  const [step = '', ...rest] = path.split('.');
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return false;
  return rest.length === 0 || isAt(Reflect.get(value, step), rest.join('.'));
}
