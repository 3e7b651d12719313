/** One model behind one scripted server: what the tests of upstreams share. */
import type { Call, Dialect, Reply } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId, nodeIdOf } from '../../src/core/ids.ts';
import type { UpstreamSpec } from '../../src/core/upstream-spec.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { Upstreams } from '../../src/upstream/upstream.ts';
import { within } from '../support/eventually.ts';
import { realClock } from '../support/real-clock.ts';

export const KEY = 'sk-canary-0123456789abcdef';
export const where = '(node studio, provider ollama, model qwen3:8b)';

export interface Options {
  readonly spec?: Partial<UpstreamSpec>;
  readonly dialect?: Dialect;
  readonly clock?: Clock;
}

export function upstreams(baseUrl: string, { spec, dialect = 'chat', clock = realClock }: Options = {}) {
  const card = { id: 'qwen3:8b', provider: 'ollama', dialect };
  const whole: UpstreamSpec = {
    card,
    baseUrl,
    apiKey: KEY,
    headers: {},
    silenceMs: 120_000,
    eventBytesMax: 1 << 20,
    ...spec,
  };
  const made = new Upstreams([whole], { nodeName: 'studio', clock });
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close() });
}

export function call(overrides: Partial<Call> = {}): Call {
  return {
    id: newCallId(),
    origin: nodeIdOf(new Uint8Array(32)),
    dialect: 'chat',
    model: { id: 'qwen3:8b', provider: 'ollama' },
    stream: false,
    headers: {},
    body: Buffer.from('{"model":"studio/qwen3:8b","messages":[]}'),
    report: () => {},
    ...overrides,
  };
}

export const streamCall = (overrides: Partial<Call> = {}) =>
  call({ stream: true, body: Buffer.from('{"model":"m","messages":[],"stream":true}'), ...overrides });

export const live = () => new AbortController().signal;

export async function read(reply: Reply): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of reply.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export async function thrown(work: Promise<unknown>): Promise<ClawError> {
  const error = await within(
    'the call fails',
    work.then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  if (!(error instanceof ClawError)) throw new Error('no ClawError was thrown', { cause: error });
  return error;
}

/** What a call fails with, be it before its reply or before the first byte of that. */
export async function failed(answered: Promise<Reply>): Promise<ClawError> {
  const whole = async () => {
    const reply = await answered;
    await read(reply);
  };
  return thrown(whole());
}

/** The next chunk alone. */
export async function readNext(reply: Reply): Promise<string> {
  const next = await within('a chunk comes', reply.body[Symbol.asyncIterator]().next());
  return next.done === true ? '' : Buffer.from(next.value).toString();
}

/** What came before the body broke, and why it did. */
export async function readBroken(reply: Reply): Promise<{ text: string; error: ClawError }> {
  const chunks: Uint8Array[] = [];
  const error = await thrown(
    (async () => {
      for await (const chunk of reply.body) chunks.push(chunk);
    })(),
  );
  return { text: Buffer.concat(chunks).toString(), error };
}
