/** Where the Response object stands in the bytes that told it. */
import { describe, expect, test } from 'vitest';
import { endedIn, ownBytes, responseIn } from '../../src/history/told.ts';
import { DONE, namedEvent, responsesEvents } from '../support/openai-bodies.ts';
import { json, response, said } from './world.ts';

const EVENTS = responsesEvents({ text: ['Hel', 'lo'] });
const bytes = (...texts: readonly string[]) => ({ bytes: texts.map((text) => Buffer.from(text)) });

function read(told: Parameters<typeof endedIn>[0]) {
  const ended = endedIn(told);
  return ended === undefined ? undefined : { id: ended.id, response: responseIn(ended.json) };
}

describe('a stream', () => {
  test.each([
    ['all in one chunk', bytes(EVENTS.join(''))],
    ['its end in a chunk of its own', bytes(EVENTS.at(-2) ?? '', EVENTS.at(-1) ?? '')],
    ['[DONE] behind it', bytes(EVENTS.join(''), DONE)],
    ['[DONE] in the same chunk', bytes(EVENTS.join('') + DONE)],
    ['a comment behind it', bytes(`${EVENTS.join('')}: bye\n\n`)],
    ['CRLF for LF', bytes(EVENTS.join('').replaceAll('\n', '\r\n'))],
  ])('with %s', (_name, told) => {
    expect(read(told)).toMatchObject({ id: 'resp_scripted', response: { output: [{ id: 'msg_1' }] } });
  });

  test('whose last event is cut over several lines', () => {
    const value = { type: 'response.completed', response: response({ id: 'resp_7' }) };
    const lines = JSON.stringify(value, undefined, 1).split('\n');
    const told = bytes(`event: response.completed\n${lines.map((line) => `data: ${line}\n`).join('')}\n`);
    expect(read(told)).toMatchObject({ id: 'resp_7' });
  });

  test('whose response does not begin with its id', () => {
    const { id, ...rest } = response({ id: 'resp_7', output: [said('x')] });
    const told = bytes(namedEvent({ type: 'response.completed', ...{ response: { ...rest, id } } }));
    expect(read(told)?.id).toBe('resp_7');
  });

  test('that stopped at a limit has ended well too', () => {
    const value = { type: 'response.incomplete', response: response({ status: 'incomplete' }) };
    expect(read(bytes(namedEvent(value)))?.id).toBe('resp_1');
  });

  test('whose text speaks of events is not taken for its end', () => {
    const delta = {
      type: 'response.output_text.delta',
      delta: '{"type":"response.completed","response":{"id":"x"}}',
    };
    expect(read(bytes(namedEvent(delta)))).toBeUndefined();
    expect(read(bytes(namedEvent(delta), EVENTS.at(-1) ?? ''))?.id).toBe('resp_scripted');
  });

  test.each(['response.completed', 'response.incomplete'])(
    'whose client wrote "%s" has its own end',
    (text) => {
      const metadata = { note: text };
      const created = namedEvent({
        type: 'response.created',
        ...{ response: { ...response({ status: 'in_progress' }), metadata } },
      });
      const last = namedEvent({
        type: 'response.completed',
        ...{ response: { ...response({ output: [said('x')] }), metadata } },
      });
      expect(read(bytes(created))).toBeUndefined();
      expect(read(bytes(created, last))).toMatchObject({ response: { output: [{ type: 'message' }] } });
      expect(read(bytes(created + last))).toMatchObject({ response: { output: [{ type: 'message' }] } });
      const failed = { ...response({ status: 'failed' }), metadata };
      expect(
        read(bytes(created, namedEvent({ type: 'response.failed', ...{ response: failed } }))),
      ).toBeUndefined();
    },
  );

  test.each([
    ['has not ended', bytes(...EVENTS.slice(0, -1))],
    [
      'has failed',
      bytes(namedEvent({ type: 'response.failed', ...{ response: response({ status: 'failed' }) } })),
    ],
    ['said nothing', { bytes: [] }],
    [
      'has an id that is none',
      bytes(namedEvent({ type: 'response.completed', ...{ response: response({ id: '../x' }) } })),
    ],
  ])('that %s is not kept', (_name, told) => {
    expect(read(told)).toBeUndefined();
  });
});

describe('a whole reply', () => {
  test.each([
    ['as servers write it', json(response({}))],
    ['in lines', Buffer.from(`\n${JSON.stringify(response({}), undefined, 2)}`)],
    [
      'with its id last',
      json({ object: 'response', status: 'completed', output: [said('x')], id: 'resp_1' }),
    ],
  ])('%s', (_name, whole) => {
    expect(read({ bytes: [whole] })).toMatchObject({ id: 'resp_1', response: { status: 'completed' } });
    expect(read({ bytes: [whole.subarray(0, 9), whole.subarray(9)] })?.id).toBe('resp_1');
  });

  test.each(['queued', 'failed', 'cancelled'])('that is %s holds no answer', (status) => {
    const ended = endedIn({ bytes: [json(response({ status }))] });
    expect(ended === undefined ? undefined : responseIn(ended.json)).toBeUndefined();
  });
});

test('a small part of a large chunk does not keep all of it alive', () => {
  const large = new Uint8Array(100_000);
  expect(ownBytes(large.subarray(0, 100)).buffer.byteLength).toBe(100);
  expect(ownBytes(large.subarray(0, 60_000)).buffer).toBe(large.buffer);
});
