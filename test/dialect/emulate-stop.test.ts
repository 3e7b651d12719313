/** `stop` of a chat client, where the upstream speaks Responses, which has no such parameter: the answer is cut here. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { translate } from '../../src/dialect/translate.ts';
import { sseEvents } from '../support/sse-text.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';

const signal = new AbortController().signal;

type Piece =
  string | { readonly reasoning: string } | { readonly refusal: string } | { readonly call: string };

/** A Responses stream that says these, each piece of text a delta of its own. */
function stream(pieces: readonly Piece[], logprobs = false): string[] {
  const events: [string, object][] = [['response.created', { response: { id: 'r', status: 'in_progress' } }]];
  pieces.forEach((piece, index) => {
    const at = { item_id: typeof piece === 'string' ? 'msg' : `item_${index}`, output_index: index };
    if (typeof piece === 'string') {
      const where = { item_id: 'msg', output_index: 0, content_index: 0 };
      const tokens = logprobs ? [{ token: piece, logprob: -1, top_logprobs: [] }] : [];
      events.push(['response.output_text.delta', { ...where, delta: piece, logprobs: tokens }]);
    } else if ('reasoning' in piece) {
      events.push(['response.reasoning_text.delta', { ...at, content_index: 0, delta: piece.reasoning }]);
    } else if ('refusal' in piece) {
      events.push(['response.refusal.delta', { ...at, content_index: 0, delta: piece.refusal }]);
    } else {
      const item = {
        type: 'function_call',
        id: at.item_id,
        call_id: 'c1',
        name: piece.call,
        arguments: '{}',
      };
      events.push(['response.output_item.done', { output_index: index, item }]);
    }
  });
  const usage = { input_tokens: 3, output_tokens: 9, total_tokens: 12 };
  events.push(['response.completed', { response: { id: 'r', status: 'completed', usage, output: [] } }]);
  return events.map(([type, rest]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
}

function reply(output: readonly unknown[]): string {
  const usage = { input_tokens: 3, output_tokens: 9, total_tokens: 12 };
  return JSON.stringify({ id: 'r', object: 'response', status: 'completed', output, usage });
}

const message = (...content: unknown[]) => ({ type: 'message', role: 'assistant', content });
const link = (start_index: number, end_index: number) => {
  return { type: 'url_citation', url: 'https://example.org', title: '', start_index, end_index };
};
const text = (said: string) => ({ type: 'output_text', text: said, annotations: [] });

async function asked(stop: unknown, chunks: readonly string[], isStream = true) {
  const upstream = new ScriptedUpstream({ chunks });
  const answer = translate(upstream.answer, 'chat', cardOf('responses'), countingTools());
  const messages = [{ role: 'user', content: 'Hi' }];
  const more = { logprobs: true, stream_options: { include_usage: true } };
  const body = { model: 'm', messages, stop, stream: isStream, ...more };
  return { upstream, reply: await answer(aCall('chat', body, isStream), signal) };
}

const Chunk = z.object({
  choices: z.array(
    z.object({
      delta: z.object({
        content: z.string().optional(),
        refusal: z.string().optional(),
        reasoning_content: z.string().optional(),
        tool_calls: z.array(z.unknown()).optional(),
      }),
      logprobs: z.object({ content: z.array(z.object({ token: z.string() })) }).nullish(),
      finish_reason: z.string().nullable(),
    }),
  ),
  usage: z.unknown().optional(),
});

async function streamed(stop: unknown, pieces: readonly Piece[], logprobs = false) {
  const { upstream, reply } = await asked(stop, stream(pieces, logprobs));
  const { text: all, error } = await drained(reply);
  const events = sseEvents(all);
  expect(events.pop()?.data).toBe('[DONE]');
  const chunks = events.map(({ data }) => Chunk.parse(JSON.parse(data)));
  const choices = chunks.flatMap(({ choices: of }) => of);
  return {
    upstream,
    error,
    contents: choices.flatMap(({ delta: { content } }) => (content ? [content] : [])),
    reasoning: choices.map(({ delta }) => delta.reasoning_content ?? '').join(''),
    refusal: choices.map(({ delta }) => delta.refusal ?? '').join(''),
    tokens: choices.flatMap((choice) => (choice.logprobs?.content ?? []).map(({ token }) => token)),
    finishes: choices.map(({ finish_reason: finish }) => finish).filter((finish) => finish !== null),
    usage: chunks.findLast(({ usage }) => usage)?.usage,
    outcome: await reply.ended,
  };
}

describe('a stream', () => {
  test.each<[string, unknown, readonly Piece[], string, string]>([
    ['in one piece', 'END', ['one END two'], 'one ', 'stop'],
    ['over three pieces', 'END', ['one E', 'N', 'D two', 'more'], 'one ', 'stop'],
    ['at the very beginning', 'END', ['EN', 'D', 'x'], '', 'stop'],
    ['the first of several', ['two', 'END', 'one'], ['zero o', 'ne two'], 'zero ', 'stop'],
    ['of two at one place', ['END', 'ENDING'], ['a ENDING'], 'a ', 'stop'],
    ['of two, that which is whole first', ['bcd', 'c'], ['ab', 'cd'], 'ab', 'stop'],
    ['of two that are whole at once, the longer', ['c', 'bc'], ['a', 'bc'], 'a', 'stop'],
    ['that begins again inside itself', 'aab', ['aa', 'ab', 'c'], 'a', 'stop'],
    ['of several letters with two halves', '𝄞𝄞', ['x𝄞', '𝄞y'], 'x', 'stop'],
    ['a line end', ['\n'], ['one\ntwo'], 'one', 'stop'],
    ['that only begins', 'END', ['one EN'], 'one EN', 'stop'],
    ['that is not there', 'END', ['one', ' two'], 'one two', 'stop'],
    ['that is empty', '', ['one', ' two'], 'one two', 'stop'],
    ['none at all', [], ['one', ' two'], 'one two', 'stop'],
    ['in reasoning, where it is none', 'END', [{ reasoning: 'an END' }, 'one'], 'one', 'stop'],
    ['in a refusal, where it is none', 'END', [{ refusal: 'no END' }], '', 'stop'],
    ['behind a call', 'END', [{ call: 'f' }, 'one END'], 'one ', 'tool_calls'],
  ])('is cut before a text that ends it: %s', async (_, stop, pieces, expected, finish) => {
    const { contents, finishes, outcome, error } = await streamed(stop, pieces);
    expect(contents.join('')).toBe(expected);
    expect(finishes).toEqual([finish]);
    expect(error).toBeUndefined();
    expect(outcome).toMatchObject({ kind: 'complete', finish: finish === 'stop' ? 'stop' : 'calls' });
  });

  test('that was cut leaves its upstream at once, and ends as a whole one without a usage', async () => {
    const { upstream, contents, outcome, usage } = await streamed('END', ['one', ' END', ' two', ' three']);
    expect(upstream.left).toBe(1);
    expect(contents).toEqual(['one', ' ']);
    expect(outcome).toEqual({ kind: 'complete', bytes: expect.any(Number), finish: 'stop' });
    expect(usage).toBeUndefined();
  });

  test('that came in one piece is cut in it', async () => {
    const { reply } = await asked('END', [stream(['one', ' END', ' two', ' three']).join('')]);
    const { text: all } = await drained(reply);
    expect(all).toContain('"content":"one"');
    expect(all).not.toMatch(/two|three|"usage":{/);
    expect(await reply.ended).toMatchObject({ kind: 'complete', finish: 'stop' });
  });

  test('that was not cut is read to its end, with its usage', async () => {
    const { upstream, usage } = await streamed('END', ['one']);
    expect(upstream.left).toBe(0);
    expect(usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 9 });
  });

  test('what cannot become such a text is told at once', async () => {
    const { contents } = await streamed('END', ['one', ' E', 'x', 'EN', 'EN', 'D']);
    expect(contents).toEqual(['one', ' ', 'Ex', 'EN']);
  });

  test('reasoning and refusals pass as they are', async () => {
    const { reasoning, refusal } = await streamed('END', [{ reasoning: 'an END' }, { refusal: 'no END' }]);
    expect([reasoning, refusal]).toEqual(['an END', 'no END']);
  });

  test.each([
    [['one', ' E', 'ND', ' two'], ['one']],
    [['abE', 'xE', 'ND'], ['abE']],
    [
      ['one', ' E', 'x', ' EN'],
      ['one', ' E', 'x', ' EN'],
    ],
  ])('tokens are told with the text that they are: %j', async (pieces, tokens) => {
    expect((await streamed('END', pieces, true)).tokens).toEqual(tokens);
  });

  test('is the same however its text is cut into pieces', async () => {
    const letters = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { maxLength: 12 });
    const stops = fc.array(fc.stringMatching(/^[ab]{1,4}$/), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(letters, stops, async (pieces, stop) => {
        const all = pieces.join('');
        // Letter by letter, as a server would that knows the parameter.
        const grown = [...all].map((_, at) => all.slice(0, at + 1));
        const first = grown.find((said) => stop.some((one) => said.endsWith(one)));
        const longest = Math.max(...stop.filter((one) => first?.endsWith(one)).map((one) => one.length));
        const expected = first === undefined ? all : first.slice(0, -longest);
        expect((await streamed(stop, pieces)).contents.join('')).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a whole reply', () => {
  async function whole(stop: unknown, output: readonly unknown[]) {
    const { reply: told } = await asked(stop, [reply(output)], false);
    const { choices, usage } = JSON.parse((await drained(told)).text);
    return { ...choices[0], usage, outcome: await told.ended };
  }

  test.each<[string, unknown, readonly unknown[], object]>([
    ['in one part', 'END', [message(text('one END two'))], { message: { content: 'one ' } }],
    ['over two parts', 'END', [message(text('one E'), text('ND'))], { message: { content: 'one ' } }],
    ['not there', 'END', [message(text('one'))], { message: { content: 'one' } }],
    [
      'what comes behind it was never said',
      'END',
      [
        message(text('one END')),
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', status: 'completed' },
      ],
      { message: { content: 'one ', tool_calls: undefined }, finish_reason: 'stop' },
    ],
    [
      'what came before it was',
      'END',
      [
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', status: 'completed' },
        message(text('one END')),
      ],
      { message: { content: 'one ', tool_calls: [{ id: 'c' }] }, finish_reason: 'tool_calls' },
    ],
    [
      'its links are those of the text that is left',
      'END',
      [message({ ...text('one END two'), annotations: [link(0, 3), link(8, 11)] })],
      { message: { annotations: [{ url_citation: { start_index: 0 } }] } },
    ],
  ])('is cut before a text that ends it: %s', async (_, stop, output, expected) => {
    const { message: said, ...rest } = await whole(stop, output);
    const told = { ...rest, message: { tool_calls: undefined, ...said } };
    expect(told).toMatchObject({ finish_reason: 'stop', usage: { total_tokens: 12 }, ...expected });
    expect(told.outcome.kind).toBe('complete');
  });
});

test.each([
  ['33 texts', Array(33).fill('x')],
  ['a text of 257 letters', ['x'.repeat(257)]],
])('what would cost too much to look for is refused by its name: %s', async (_, stop) => {
  await expect(asked(stop, [])).rejects.toMatchObject({ code: 'bad_request', status: 400, param: 'stop' });
});

test('the upstream is not told of them', async () => {
  const { upstream } = await asked(['END'], stream(['one']));
  expect(upstream.request).not.toHaveProperty('stop');
});

test('more than one choice is refused by its name', async () => {
  const upstream = new ScriptedUpstream({ chunks: [] });
  const answer = translate(upstream.answer, 'chat', cardOf('responses'), countingTools());
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], n: 2 };
  await expect(answer(aCall('chat', body, false), signal)).rejects.toMatchObject({
    status: 400,
    param: 'n',
    message: expect.stringMatching(/^n: /),
  });
});
