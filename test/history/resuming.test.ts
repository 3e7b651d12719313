/** A call that its home cannot go on with is written out for it. */
import { describe, expect, test } from 'vitest';
import type { Answer, Call, Reply } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId } from '../../src/core/ids.ts';
import { heldBody } from '../../src/dialect/held-body.ts';
import { resuming } from '../../src/history/resuming.ts';
import { Stop } from '../../src/lib/signals.ts';
import { callOf, json, keyOf, OPENAI, sent } from './world.ts';

const WRITTEN = { model: 'm', input: ['all of it'] };

function reply(status: number, body: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, ...heldBody(json(body), {}) };
}

function refusal(status: number, error: object): Reply {
  return reply(status, { error: { message: 'no', type: null, param: null, code: null, ...error } });
}

function homed(more: Partial<Call> = {}): Call {
  const written = () => callOf(WRITTEN);
  return {
    ...callOf({ model: 'm', previous_response_id: 'resp_1' }),
    home: keyOf(OPENAI),
    writtenOut: written,
    ...more,
  };
}

async function askedWith(first: () => Promise<Reply>, call: Call) {
  const bodies: unknown[] = [];
  const ids = new Set<string>();
  const answer: Answer = (asked) => {
    ids.add(asked.id);
    bodies.push(sent(asked));
    return bodies.length === 1 ? first() : Promise.resolve(reply(200, { ok: true }));
  };
  const told = await resuming(answer, newCallId)(call, new Stop()).catch((error: unknown) => error);
  // An owner runs each id once.
  expect(ids.size).toBe(bodies.length);
  return { bodies, told };
}

describe.each([
  ['OpenAI', refusal(400, { code: 'previous_response_not_found', param: 'previous_response_id' })],
  ['vLLM', refusal(404, { message: "Response with id 'resp_1' not found." })],
  ['a server that keeps no items', refusal(404, { message: "Item with id 'msg_1' not found." })],
])('%s knows nothing of it', (_name, first) => {
  test('it is asked once more, with all of it', async () => {
    const { bodies, told } = await askedWith(() => Promise.resolve(first), homed());
    expect(bodies[1]).toEqual(WRITTEN);
    expect(told).toMatchObject({ status: 200 });
  });
});

test('a home that went away in the meantime leaves the call to the others', async () => {
  const { bodies } = await askedWith(() => Promise.reject(new ClawError('no_owner', 'gone')), homed());
  expect(bodies[1]).toEqual(WRITTEN);
});

test.each([
  ['another fault of the request', () => Promise.resolve(refusal(400, { param: 'temperature' }))],
  ['a model that is not there', () => Promise.resolve(refusal(404, { code: 'model_not_found' }))],
  ['any failure else', () => Promise.reject(new ClawError('upstream_timeout', 'late'))],
])('%s is told, and nothing is asked twice', async (_name, first) => {
  const { bodies, told } = await askedWith(first, homed());
  expect(bodies).toHaveLength(1);
  expect(told).toBeInstanceOf(ClawError);
});

test('what is too little to go on with leaves the refusal as it is', async () => {
  const writtenOut = () => {
    throw new ClawError('previous_response_not_found', 'ours');
  };
  const first = () => Promise.resolve(refusal(404, { message: 'Response not found: resp_1' }));
  const { told } = await askedWith(first, homed({ writtenOut }));
  expect(told).toMatchObject({ status: 404, message: 'Response not found: resp_1' });
});

test('any other call is asked once, whatever comes of it', async () => {
  const first = () => Promise.resolve(refusal(404, { code: 'previous_response_not_found' }));
  const { told } = await askedWith(first, callOf({ model: 'm' }));
  expect(told).toMatchObject({ status: 404 });
});
