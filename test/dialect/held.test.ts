/** A Responses stream that the entry began itself: one response to its client, whatever the upstream calls its own. */
import { describe, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId } from '../../src/core/ids.ts';
import { ECHOED_REQUEST_BYTES_MAX } from '../../src/core/limits.ts';
import { shapes } from '../../src/dialect/dialects.ts';
import type { HeldStream } from '../../src/dialect/shape.ts';
import { responsesEvents as scripted } from '../support/openai-bodies.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { SCENES } from './held-scenes.ts';

const callId = newCallId();
const REQUEST = { model: 'box/m', input: 'Say it.', stream: true };

function held(request: unknown = REQUEST): HeldStream {
  const body = Buffer.from(typeof request === 'string' ? request : JSON.stringify(request));
  const stream = shapes.responses.held?.({ callId, model: 'box/m', createdAt: 11, request: body });
  if (stream === undefined) throw new Error('the dialect begins no stream');
  return stream;
}

function read(bytes: Uint8Array): unknown[] {
  return responsesEvents(Buffer.from(bytes).toString());
}

function fitted(stream: HeldStream, ...events: (string | object)[]): unknown[] {
  return events.flatMap((event) =>
    read(stream.fit(Buffer.from(typeof event === 'string' ? event : named(event)))),
  );
}

function named(event: object): string {
  return `event: ${String(Reflect.get(event, 'type'))}\ndata: ${JSON.stringify(event)}\n\n`;
}

const failure = new ClawError('upstream_timeout', 'the model fell silent');

describe('the beginning', () => {
  test('is `created` and `in_progress` of the same full response', () => {
    const response = { id: `resp_${callId}`, created_at: 11, model: 'box/m', status: 'in_progress' };
    const stream = held();
    const events = read(stream.begin());
    expect(events).toMatchObject([
      { type: 'response.created', sequence_number: 0, response },
      { type: 'response.in_progress', sequence_number: 1, response },
    ]);
    checkResponsesStream([...events, ...read(stream.failure(failure))]);
  });

  test('repeats what the request said', () => {
    const tool = { type: 'function', name: 'look', description: null, parameters: {}, strict: true };
    const said = { instructions: 'Be brief.', temperature: 0.5, metadata: { a: 'b' }, tools: [tool] };
    const [created] = read(held({ ...REQUEST, ...said }).begin());
    expect(created).toMatchObject({ response: said });
  });

  test('goes on from the response that its client named, whatever the upstream calls that', () => {
    const previous_response_id = 'resp_before';
    const stream = held({ ...REQUEST, previous_response_id });
    const response = { id: 'resp_theirs', previous_response_id: 'resp_other', status: 'completed' };
    const events = [...read(stream.begin()), ...fitted(stream, { type: 'response.completed', response })];
    for (const event of events) expect(event).toMatchObject({ response: { previous_response_id } });
  });

  test.each([
    ['one that we cannot read', { ...REQUEST, input: [{ type: 'of the future' }], temperature: 'hot' }],
    ['one that is no JSON', '{'],
    ['a long one', { ...REQUEST, instructions: 'x'.repeat(ECHOED_REQUEST_BYTES_MAX) }],
  ])('has the defaults in place of %s', (_, request) => {
    const [created] = read(held(request).begin());
    expect(created).toMatchObject({ response: { instructions: null, temperature: 1 } });
  });
});

describe('what follows', () => {
  test.each(SCENES)('%s: one response, numbered on, and its text and items unchanged', (_, events) => {
    const stream = held();
    const all = [...read(stream.begin()), ...fitted(stream, ...events)];
    const types = all.map((event) => Reflect.get(Object(event), 'type'));
    expect(types.filter((type) => type === 'response.created')).toHaveLength(1);
    expect(types.filter((type) => type === 'response.in_progress')).toHaveLength(1);
    expect(all.map((event) => Reflect.get(Object(event), 'sequence_number'))).toEqual(all.map((_, at) => at));
    const bare = (list: readonly unknown[]) =>
      list.flatMap((event) => {
        const { sequence_number: _, response, ...rest } = Object(event);
        if (/created|queued|in_progress/.test(rest.type)) return [];
        const { id: _id, created_at: _at, model: _model, ...state } = Object(response);
        return [{ ...rest, state }];
      });
    expect(bare(all)).toEqual(bare(events.flatMap((event) => responsesEvents(event))));
    for (const event of all) {
      const response = Reflect.get(Object(event), 'response');
      if (response !== undefined)
        expect(response).toMatchObject({ id: `resp_${callId}`, created_at: 11, model: 'box/m' });
    }
    expect(stream.ids).toEqual({ ours: `resp_${callId}`, theirs: 'resp_scripted' });
  });

  test('keepalives count in the numbering, and end with the answer', () => {
    const stream = held();
    stream.begin();
    expect(read(stream.alive())).toEqual([{ type: 'keepalive', sequence_number: 2 }]);
    const events = scripted({ text: ['a'] });
    const rest = fitted(stream, ...events.slice(0, 3));
    expect(rest).toMatchObject([{ type: 'response.output_item.added', sequence_number: 3 }]);
    expect(read(stream.alive())).toEqual([{ type: 'keepalive', sequence_number: 4 }]);
    fitted(stream, ...events.slice(3));
    expect(Buffer.from(stream.alive()).toString()).toBe(': keepalive\n\n');
  });

  test('is the id of the first event that has one, also where `created` is missing', () => {
    const stream = held();
    stream.begin();
    expect(stream.ids.theirs).toBeUndefined();
    fitted(stream, { type: 'response.completed', response: { id: 'resp_late', status: 'completed' } });
    expect(stream.ids.theirs).toBe('resp_late');
  });

  test.each<[string, string, string]>([
    ['comments are left out', ': ping\n\n', ''],
    ['the end of the stream', 'data: [DONE]\n\n', 'data: [DONE]\n\n'],
    ['text in lines', 'data: a\ndata: b\n\n', 'data: a\ndata: b\n\n'],
    ['an event without a name', 'data: {"type":"x"}\n\n', 'data: {"type":"x","sequence_number":2}\n\n'],
    ['a repeated beginning', named({ type: 'response.in_progress', response: {} }), ''],
    ['a queue', named({ type: 'response.queued', response: {} }), ''],
  ])('%s', (_, before, after) => {
    const stream = held();
    stream.begin();
    expect(Buffer.from(stream.fit(Buffer.from(before))).toString()).toBe(after);
  });
});

describe('a failure', () => {
  test('has our id, the next numbers and the items that were done', () => {
    const stream = held();
    const events = [...read(stream.begin()), ...read(stream.alive())];
    const text = scripted({ text: ['a'] });
    events.push(...fitted(stream, ...text.slice(0, -1)), ...read(stream.failure(failure)));
    expect(events.slice(-2)).toMatchObject([
      { type: 'error', sequence_number: 9, code: 'upstream_timeout' },
      {
        type: 'response.failed',
        sequence_number: 10,
        response: { id: `resp_${callId}`, output: [{ type: 'message', status: 'completed' }] },
      },
    ]);
  });

  test('repeats no more than an event should hold', () => {
    const stream = held();
    stream.begin();
    const item = { type: 'message', content: 'x'.repeat(700_000) };
    const done = { type: 'response.output_item.done', item };
    fitted(stream, done);
    expect(read(stream.failure(failure)).at(-1)).toMatchObject({ response: { output: [item] } });
    fitted(stream, done);
    expect(read(stream.failure(failure)).at(-1)).toMatchObject({ response: { output: [] } });
  });
});
