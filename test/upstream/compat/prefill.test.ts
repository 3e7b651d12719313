/** Progress that llama.cpp tells of a long prompt: asked for by the owner, and told to those who wait, not to the client. */
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../../src/core/call.ts';
import type { Compat } from '../../../src/core/compat.ts';
import { Prefill } from '../../../src/upstream/compat/prefill.ts';
import { chatEvents, dataEvent, DONE } from '../../support/openai-bodies.ts';
import { startUpstream } from '../../support/scripted-upstream.ts';
import { live, read, streamCall, upstreams } from '../one-upstream.ts';

/** That of the other events here: one stream is one completion. */
const head = {
  id: 'chatcmpl-scripted',
  object: 'chat.completion.chunk',
  created: 1_767_225_600,
  model: 'scripted',
};
/** As llama.cpp writes it. */
const read512 = progressed(512);

function progressed(processed: number, delta: object = { role: 'assistant', content: null }): string {
  const choices = [{ finish_reason: null, index: 0, delta }];
  return dataEvent({
    choices,
    ...head,
    prompt_progress: { total: 2048, cache: 0, processed, time_ms: 181 },
  });
}

function prefill() {
  const progress: Progress[] = [];
  const made = new Prefill((one) => void progress.push(one));
  return { progress, take: (text: string) => Buffer.from(made.take(Buffer.from(text))).toString() };
}

const text = dataEvent({ ...head, choices: [{ index: 0, delta: { content: 'a' }, finish_reason: null }] });

describe('a stream that tells of progress', () => {
  test('is told without it, and those who wait hear of each step', () => {
    const { progress, take } = prefill();
    expect([take(read512), take(progressed(1024) + progressed(2048)), take(text), take(DONE)]).toEqual([
      '',
      '',
      text,
      DONE,
    ]);
    expect(progress).toEqual([
      { kind: 'prefill', done: 512, total: 2048 },
      { kind: 'prefill', done: 1024, total: 2048 },
      { kind: 'prefill', done: 2048, total: 2048 },
      { kind: 'waiting' },
    ]);
  });

  test('keeps what else an event says', () => {
    const { take } = prefill();
    const said = JSON.parse(take(progressed(2048, { content: 'a' })).slice('data: '.length));
    expect(said).toEqual({ ...head, choices: [{ finish_reason: null, index: 0, delta: { content: 'a' } }] });
    expect(take(read512 + text)).toBe(text);
  });

  test.each([
    ['text about it', dataEvent({ choices: [{ delta: { content: '"prompt_progress":{}' } }] })],
    ['progress of another form', dataEvent({ choices: [], prompt_progress: 0.5 })],
    ['what is no JSON', 'data: "prompt_progress": {\n\n'],
  ])('passes %s', (_, event) => {
    const { progress, take } = prefill();
    expect(take(event)).toBe(event);
    expect(progress).toEqual([]);
  });

  test('passes chunks without a word of it as the very same bytes', () => {
    const bytes = Buffer.from(text);
    expect(new Prefill(() => {}).take(bytes)).toBe(bytes);
  });
});

describe('a llama.cpp server', () => {
  const asked = async (compat: Compat, body: object, events: readonly string[]) => {
    await using server = await startUpstream();
    const stream = server.nextStream(events);
    await using made = upstreams(server.baseUrl, { spec: { compat } });
    const progress: Progress[] = [];
    const reply = await made.answer(
      streamCall({
        body: Buffer.from(JSON.stringify({ model: 'm', messages: [], stream: true, ...body })),
        report: (one) => void progress.push(one),
      }),
      live(),
    );
    await stream.finish();
    const said = await read(reply);
    const sent = Object((await server.request(0)).json());
    return { said, sent, progress };
  };
  const events = [read512, ...chatEvents({ text: ['a'] })];

  test('is asked for its progress, of which the client sees nothing', async () => {
    const { said, sent, progress } = await asked({ returnsProgress: true }, {}, events);
    expect(sent.return_progress).toBe(true);
    expect(said).toBe(events.slice(1).join(''));
    expect(progress).toEqual([{ kind: 'prefill', done: 512, total: 2048 }, { kind: 'waiting' }]);
  });

  test('tells it to a client that asks for it', async () => {
    const { said, sent } = await asked({ returnsProgress: true }, { return_progress: true }, events);
    expect(sent.return_progress).toBe(true);
    expect(said).toBe(events.join(''));
  });

  test('is asked for usage and progress at once', async () => {
    const compat = { returnsProgress: true, supportsUsageInStreaming: true };
    const { said, progress } = await asked(compat, {}, events);
    expect(said).not.toMatch(/prompt_progress|"usage"/);
    expect(progress).toHaveLength(2);
  });

  test('of which nothing is known is asked nothing', async () => {
    const { said, sent } = await asked({}, {}, events);
    expect(sent).not.toHaveProperty('return_progress');
    expect(said).toBe(events.join(''));
  });
});
