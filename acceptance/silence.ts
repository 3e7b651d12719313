/**
 * An upstream that is silent for 400 real seconds, before its headers and in mid-stream, for clients of both dialects and
 * models of both, all at once through two daemons. A client that counts only events that it can parse must never wait long.
 */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SseReader } from '../src/dialect/framing/sse.ts';
import { chatEvents, responsesEvents } from '../test/support/openai-bodies.ts';
import type { SeenRequest } from '../test/support/scripted-upstream.ts';
import { MODELS, post, startTwoNodes } from '../test/support/two-nodes.ts';

const SILENT_MS = 400_000;
/** What every client is promised. */
const WAIT_MS_MAX = 15_000;
/** Events of the stream that come before the silence in its midst. */
const BEGUN = 3;

type Dialect = keyof typeof MODELS;
type Place = 'before the headers' | 'in mid-stream';

interface Way {
  readonly client: Dialect;
  readonly upstream: Dialect;
  readonly place: Place;
}

export interface SilenceResult {
  /** Which client, which model, where the silence was. */
  readonly name: string;
  readonly passed: boolean;
  /** The longest wait, or what went wrong. */
  readonly detail: string;
}

const DIALECTS: readonly Dialect[] = ['chat', 'responses'];
const PLACES: readonly Place[] = ['before the headers', 'in mid-stream'];
const WAYS: readonly Way[] = PLACES.flatMap((place) =>
  DIALECTS.flatMap((client) => DIALECTS.map((upstream) => ({ client, upstream, place }))),
);

export async function silence(silentMs = SILENT_MS): Promise<readonly SilenceResult[]> {
  const timeouts = { upstreamMs: silentMs + 50_000 };
  await using nodes = await startTwoNodes({
    bravo: {
      models: [
        { id: MODELS.chat, provider: 'chatty', timeouts },
        { id: MODELS.responses, provider: 'responder', timeouts },
      ],
    },
  });
  nodes.upstream.always((response, request) => {
    void answer(response, request, silentMs);
  });
  // Awaited here: the nodes end with this function.
  return await Promise.all(WAYS.map((way) => result(nodes.url, way)));
}

async function answer(response: ServerResponse, { url, body }: SeenRequest, silentMs: number): Promise<void> {
  const events = (url.endsWith('/responses') ? responsesEvents : chatEvents)({ text: ['Hel', 'lo'] });
  const isBegun = body.includes('in mid-stream' satisfies Place);
  const begin = () => response.writeHead(200, { 'content-type': 'text/event-stream' });
  if (isBegun) begin().write(events.slice(0, BEGUN).join(''));
  await sleep(silentMs);
  if (!isBegun) begin();
  response.end(events.slice(isBegun ? BEGUN : 0).join(''));
}

async function result(proxy: string, way: Way): Promise<SilenceResult> {
  const name = `silent ${way.place}: ${way.client} client, ${way.upstream} model`;
  try {
    const { waitedMs, events, text } = await listened(proxy, way);
    const passed = text === 'Hello' && waitedMs <= WAIT_MS_MAX;
    const seconds = (waitedMs / 1_000).toFixed(1);
    const detail = `longest wait ${seconds} s for one of ${events} events; it said ${JSON.stringify(text)}`;
    return { name, passed, detail };
  } catch (error) {
    return { name, passed: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Node's own `fetch`, which gives up after 300 s without a byte. */
async function listened(proxy: string, { client, upstream, place }: Way) {
  const said = client === 'chat' ? { messages: [{ role: 'user', content: place }] } : { input: place };
  const path = client === 'chat' ? '/chat/completions' : '/responses';
  let heardAt = performance.now();
  let [waitedMs, events, text] = [0, 0, ''];
  const reader = new SseReader();
  const { body } = await post(`${proxy}${path}`, { model: MODELS[upstream], stream: true, ...said });
  for await (const chunk of body ?? []) {
    for (const { data } of reader.read(chunk)) {
      waitedMs = Math.max(waitedMs, performance.now() - heardAt);
      heardAt = performance.now();
      events++;
      text += data === '[DONE]' ? '' : textOf(JSON.parse(data), client);
    }
  }
  return { waitedMs, events, text };
}

function textOf(event: unknown, client: Dialect): string {
  const { type, delta, choices } = Object(event);
  const text: unknown = client === 'chat' ? choices?.[0]?.delta?.content : delta;
  const isText = client === 'chat' || type === 'response.output_text.delta';
  return isText && typeof text === 'string' ? text : '';
}
