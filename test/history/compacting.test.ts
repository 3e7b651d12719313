/** A conversation summed up: by its server where that can, by its model where not. */
import { describe, expect, test } from 'vitest';
import type { Answer, Call, Reply } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { newCallId } from '../../src/core/ids.ts';
import { COMPACTION_VERBATIM_CHARS_MAX } from '../../src/core/limits.ts';
import { heldBody } from '../../src/dialect/held-body.ts';
import { compacting } from '../../src/history/compacting.ts';
import { Stop } from '../../src/lib/signals.ts';
import { asked, callOf, type Json, json, keyOf, OPENAI, response, said, sent, World } from './world.ts';

const USAGE = { input_tokens: 9, output_tokens: 3, total_tokens: 12 };
const HISTORY = [asked('Where did they meet?'), said('In Oslo.')];

let ids = 0;
const parts = { newId: newCallId, randomId: (prefix: string) => `${prefix}${++ids}`, wall: () => 5_000 };

function reply(status: number, body: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, ...heldBody(json(body), {}) };
}

const summary = (text = 'They met in Oslo.') => reply(200, response({ output: [said(text)], usage: USAGE }));

/** Asks for a compaction; `own` is what the server itself says to that. */
async function compacted(
  body: Json,
  own: () => Promise<Reply>,
  second = summary(),
  more: Partial<Call> = {},
) {
  const calls: Call[] = [];
  const answer: Answer = (call) => {
    calls.push(call);
    return call.operation === undefined ? Promise.resolve(second) : own();
  };
  const call: Call = { ...callOf({ model: 'm', ...body }), operation: { kind: 'compact' }, ...more };
  const told = await compacting(answer, parts)(call, new Stop());
  const chunks: Uint8Array[] = [];
  for await (const chunk of told.body) chunks.push(chunk);
  return { calls, told, body: JSON.parse(Buffer.concat(chunks).toString()) as Json & { output: Json[] } };
}

const withoutIt = () => Promise.reject(new ClawError('unsupported_operation', 'chat'));

test("a server's own compaction passes as it is", async () => {
  const own = { id: 'resp_theirs', object: 'response.compaction', output: [] };
  const { calls, body } = await compacted({ input: HISTORY }, () => Promise.resolve(reply(200, own)));
  expect(calls).toHaveLength(1);
  expect(body).toEqual(own);
});

test('a refusal that says more than that there is no such thing passes too', async () => {
  const { told } = await compacted({ input: HISTORY }, () => Promise.resolve(reply(429, { error: {} })));
  expect(told.status).toBe(429);
});

describe.each([
  ['a server that speaks only chat', withoutIt],
  ['a server without the path', () => Promise.resolve(reply(404, { error: { message: 'Not Found' } }))],
  ['a server that does not take the method', () => Promise.resolve(reply(405, {}))],
])('%s', (_name, own) => {
  test('has its model asked for a summary, which the client gets with its own latest words', async () => {
    const { calls, body } = await compacted(
      { input: HISTORY, tools: [{ type: 'function' }], instructions: 'I' },
      own,
    );
    const request = sent(calls[1] ?? callOf({}));
    expect(calls[1]).toMatchObject({ dialect: 'responses', stream: false, model: { id: 'm' } });
    expect(calls[1]?.operation).toBeUndefined();
    expect(calls[1]?.id).not.toBe(calls[0]?.id);
    expect(request).toMatchObject({ model: 'm', instructions: 'I', store: false });
    expect(request).not.toHaveProperty('tools');
    expect((request.input as Json[]).slice(0, 2)).toEqual(HISTORY);
    expect(JSON.stringify(request.input)).toContain('Sum up the conversation');
    expect(body).toMatchObject({
      object: 'response.compaction',
      created_at: 5,
      usage: USAGE,
      output: [
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Where did they meet?' }] },
        { type: 'compaction', id: expect.stringMatching(/^cmp_/), encrypted_content: expect.any(String) },
      ],
    });
  });
});

test.each([{}, { input: null }, { input: [] }])(
  'of %j nothing can be summed up, and no model is asked to',
  async (body) => {
    let asked = 0;
    const counted = () => {
      asked++;
      return withoutIt();
    };
    await expect(compacted(body, counted)).rejects.toMatchObject({ code: 'bad_request', param: 'input' });
    expect(asked).toBe(1);
  },
);

test('what comes of it can be the beginning of a new conversation, with any model', async () => {
  const { body } = await compacted({ input: HISTORY }, withoutIt);
  const { call } = new World().open({ input: [...body.output, asked('When?')] });
  const text = JSON.stringify(sent(call).input);
  expect(text).toContain('They met in Oslo.');
  expect(text).not.toContain('compaction');
});

test('a conversation that is kept is written out first, and its words are kept too', async () => {
  const world = new World();
  world.turn({ input: 'Where?' }, { id: 'resp_1', output: [said('In Oslo.')] });
  const { call } = world.open({ input: 'When?', previous_response_id: 'resp_1' });
  const { calls, body } = await compacted({}, withoutIt, summary(), { body: call.body });
  expect((sent(calls[1] ?? call).input as Json[]).slice(0, 2)).toEqual([asked('Where?'), said('In Oslo.')]);
  expect(body.output.filter(({ role }) => role === 'user')).toHaveLength(2);
});

test('a conversation that the upstream keeps is gone on with there, or written out from here', async () => {
  const at = { home: keyOf(OPENAI), continues: 'resp_1' };
  const writtenOut = () => callOf({ model: 'm', input: HISTORY });
  const known = await compacted({ input: [] }, withoutIt, summary(), { ...at, writtenOut });
  expect((sent(known.calls[1] ?? callOf({})).input as Json[]).slice(0, 2)).toEqual(HISTORY);
  const unknown = await compacted({ previous_response_id: 'resp_1' }, withoutIt, summary(), at);
  expect(sent(unknown.calls[1] ?? callOf({}))).toMatchObject({ previous_response_id: 'resp_1' });
  expect(unknown.calls[1]?.home).toEqual(keyOf(OPENAI));
});

test("only so much of the user's words is kept, and always whole messages, the latest first", async () => {
  const long = 'x'.repeat(COMPACTION_VERBATIM_CHARS_MAX / 2);
  const input = [asked(`1${long}`), asked(`2${long}`), asked('3'), said('no')];
  const { body } = await compacted({ input }, withoutIt);
  const kept = body.output.filter(({ role }) => role === 'user');
  expect(kept.map(({ content }) => (content as Json[])[0]?.text?.toString().slice(0, 1))).toEqual(['2', '3']);
});

test.each([
  ['says nothing', summary(' '), 'upstream_protocol', 502],
  [
    'refuses',
    reply(400, { error: { message: 'too long', code: 'context_length_exceeded' } }),
    'upstream_error',
    400,
  ],
])('a model that %s is an error', async (_name, second, code, status) => {
  await expect(compacted({ input: HISTORY }, withoutIt, second)).rejects.toMatchObject({ code, status });
});

test('any other call is none of its business', async () => {
  const answer: Answer = () => Promise.resolve(summary());
  expect((await compacting(answer, parts)(callOf({}), new Stop())).status).toBe(200);
});
