/** Requests that go into the other dialect and back: what both can say is the same again, the rest is named. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import {
  text,
  id,
  detail,
  url,
  dataUrl,
  COMMON,
  limit,
  effort,
  verbosity,
  schema,
  plainChoice,
  tools,
  calls,
  optional,
} from './random-requests.ts';

/** As the other dialect writes it, read and written as the first one does. */
function roundTrip(from: Dialect, to: Dialect, body: object): Record<string, unknown> {
  const sent: unknown = JSON.parse(JSON.stringify(written(from, to, body)));
  return JSON.parse(JSON.stringify(written(to, from, Object(sent))));
}

function written(from: Dialect, to: Dialect, body: object): unknown {
  return shapes[to].writeRequest(shapes[from].readRequest({ ...body, model: 'm' }), 'm');
}

describe('a chat request', () => {
  const part = fc.oneof(
    text.map((value) => ({ type: 'text', text: value })),
    fc.tuple(url, detail).map(([one, how]) => ({ type: 'image_url', image_url: { url: one, detail: how } })),
    fc.tuple(dataUrl, text).map(([file_data, filename]) => ({ type: 'file', file: { file_data, filename } })),
    id.map((file_id) => ({ type: 'file', file: { file_id } })),
    fc.base64String().map((data) => ({ type: 'input_audio', input_audio: { data, format: 'wav' } })),
  );
  const content = fc.oneof(text, fc.array(part, { minLength: 2, maxLength: 4 }));
  const turn = fc
    .tuple(content, fc.option(text), fc.option(text), calls, fc.option(text))
    .map(([asked, said, refusal, made, later]) => {
      const tool_calls = made.map(({ id: one, name, input }) => ({
        id: one,
        type: 'function',
        function: { name, arguments: input },
      }));
      const saysNothing = said === null && refusal === null && made.length === 0;
      const assistant = {
        role: 'assistant',
        content: saysNothing ? 'ok' : said,
        ...(refusal === null ? {} : { refusal }),
        ...(made.length === 0 ? {} : { tool_calls }),
      };
      const results = made.map((one) => ({ role: 'tool', tool_call_id: one.id, content: one.result }));
      const note = later === null ? [] : [{ role: 'system', content: later }];
      return [{ role: 'user', content: asked }, assistant, ...results, ...note];
    });
  const messages = fc
    .tuple(fc.array(text, { maxLength: 1 }), fc.array(turn, { maxLength: 4 }))
    .map(([first, turns]) => [...first.map((one) => ({ role: 'system', content: one })), ...turns.flat()]);
  const format = fc.oneof(
    fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
    schema.map((json_schema) => ({ type: 'json_schema', json_schema })),
  );
  const choice = fc.oneof(
    plainChoice,
    text.map((name) => ({ type: 'function', function: { name } })),
  );
  const request = fc
    .tuple(
      optional(
        { messages },
        {
          ...COMMON,
          max_tokens: limit,
          reasoning_effort: effort,
          verbosity,
          response_format: format,
          tool_choice: choice,
        },
      ),
      tools.map((list) => list.map((one) => ({ type: 'function', function: one }))),
      fc.option(fc.nat({ max: 20 })),
    )
    .map(([body, list, top_logprobs]) => ({
      ...body,
      tools: list,
      ...(top_logprobs === null ? {} : { logprobs: true, top_logprobs }),
    }));

  test('comes back from Responses as it was', () => {
    fc.assert(
      fc.property(request, (body) => {
        expect(roundTrip('chat', 'responses', body)).toEqual({ ...body, model: 'm', stream: false });
      }),
      { numRuns: 400 },
    );
  });

  test('names every parameter that Responses has no word for', () => {
    const only = {
      seed: 7,
      presence_penalty: 1,
      frequency_penalty: 1,
      logit_bias: { 1: 2 },
      prediction: { type: 'content', content: 'x' },
    };
    const names = fc.subarray(Object.keys(only));
    fc.assert(
      fc.property(names, (some) => {
        const lost = Object.fromEntries(Object.entries(only).filter(([name]) => some.includes(name)));
        const read = shapes.chat.readRequest({ model: 'm', messages: [], ...lost });
        expect([...shapes.responses.leftOut(read)].sort()).toEqual([...some].sort());
      }),
    );
  });
});

describe('a Responses request', () => {
  const part = fc.oneof(
    text.map((value) => ({ type: 'input_text', text: value })),
    fc.tuple(url, detail).map(([image_url, how]) => ({ type: 'input_image', image_url, detail: how })),
    fc.tuple(dataUrl, text).map(([file_data, filename]) => ({ type: 'input_file', file_data, filename })),
    id.map((file_id) => ({ type: 'input_file', file_id })),
    fc.base64String().map((data) => ({ type: 'input_audio', input_audio: { data, format: 'mp3' } })),
  );
  const message = (role: string, content: unknown) => ({ type: 'message', role, content });
  const inputText = (value: string) => [{ type: 'input_text', text: value }];
  const turn = fc
    .tuple(
      fc.array(part, { minLength: 1, maxLength: 3 }),
      fc.option(text),
      fc.option(text),
      calls,
      fc.option(text),
    )
    .map(([asked, said, refusal, made, later]) => [
      message('user', asked),
      ...(said === null && refusal === null
        ? []
        : [
            message('assistant', [
              ...(said === null ? [] : [{ type: 'output_text', text: said, annotations: [] }]),
              ...(refusal === null ? [] : [{ type: 'refusal', refusal }]),
            ]),
          ]),
      ...made.map(({ id: call_id, name, input }) => ({
        type: 'function_call',
        call_id,
        name,
        arguments: input,
      })),
      ...made.map(({ id: call_id, result: output }) => ({ type: 'function_call_output', call_id, output })),
      ...(later === null ? [] : [message('system', inputText(later))]),
    ]);
  const input = fc
    .tuple(fc.array(text, { maxLength: 1 }), fc.array(turn, { maxLength: 4 }))
    .map(([first, turns]) => [...first.map((one) => message('system', inputText(one))), ...turns.flat()]);
  const format = fc.oneof(
    fc.constantFrom({ type: 'text' }, { type: 'json_object' }),
    schema.map((one) => ({ type: 'json_schema', ...one })),
  );
  const choice = fc.oneof(
    plainChoice,
    text.map((name) => ({ type: 'function', name })),
  );
  const request = fc
    .tuple(
      optional(
        { input },
        {
          ...COMMON,
          max_output_tokens: limit,
          tool_choice: choice,
          text: fc.record({ format, verbosity }, { noNullPrototype: true }),
        },
      ),
      tools.map((list) => list.map((one) => ({ type: 'function', ...one }))),
      fc.option(fc.nat({ max: 20 })),
      fc.option(effort),
    )
    .map(([body, list, top_logprobs, wish]) => {
      // A chat client that wants reasoning keeps its blob.
      const include = [
        ...(top_logprobs === null ? [] : ['message.output_text.logprobs']),
        ...(wish === null || wish === 'none' ? [] : ['reasoning.encrypted_content']),
      ];
      return {
        ...body,
        tools: list,
        ...(top_logprobs === null ? {} : { top_logprobs }),
        ...(wish === null ? {} : { reasoning: { effort: wish } }),
        ...(include.length === 0 ? {} : { include }),
      };
    });

  test('comes back from chat as it was', () => {
    fc.assert(
      fc.property(request, (body) => {
        const expected = { ...body, model: 'm', stream: false, store: false };
        expect(roundTrip('responses', 'chat', body)).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  test('names every parameter that chat has no word for', () => {
    const only = {
      metadata: { a: 'b' },
      max_tool_calls: 3,
      truncation: 'auto',
      context_management: [],
      moderation: {},
    };
    fc.assert(
      fc.property(fc.subarray(Object.keys(only)), (some) => {
        const lost = Object.fromEntries(Object.entries(only).filter(([name]) => some.includes(name)));
        const read = shapes.responses.readRequest({ model: 'm', input: 'Hi', ...lost });
        expect([...shapes.chat.leftOut(read)].sort()).toEqual([...some].sort());
      }),
    );
  });
});
