/** What a request refers to: left to the upstream that keeps it, or written out for whoever can answer. */
import { describe, expect, test } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { compactionItem } from '../../src/history/compaction.ts';
import { asked, CHAT, json, keyOf, MINUTE, OPENAI, OTHER, response, said, sent, World } from './world.ts';

function refusalOf(run: () => unknown): ClawError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof ClawError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

describe('previous_response_id, for an upstream that speaks only chat', () => {
  test('a chain of three turns is written out, oldest first, and is still named for the answer', () => {
    const world = new World();
    world.turn({ input: 'one', instructions: 'Be brief.' }, { id: 'resp_1', output: [said('uno')] });
    world.turn(
      { input: [asked('two')], previous_response_id: 'resp_1' },
      { id: 'resp_2', output: [said('dos')] },
    );
    const { call } = world.open({ input: 'three', previous_response_id: 'resp_2', temperature: 0.5 });
    expect(sent(call)).toEqual({
      model: 'm',
      temperature: 0.5,
      input: [asked('one'), said('uno'), asked('two'), said('dos'), asked('three')],
    });
    expect(call.continues).toBe('resp_2');
    expect(call.home).toBeUndefined();
  });

  test('calls and their results of the turns before are there too', () => {
    const world = new World();
    const call = { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{}' };
    const output = { type: 'function_call_output', call_id: 'c1', output: 'rain' };
    world.turn({ input: 'weather?' }, { id: 'resp_1', output: [call] });
    const { call: next } = world.open({ input: [output], previous_response_id: 'resp_1' });
    expect(sent(next).input).toEqual([asked('weather?'), call, output]);
  });

  test.each([
    ['one that never was', {}],
    ['one that was not to be stored', { store: false }],
  ])('%s is not found', (_name, body) => {
    const world = new World();
    world.turn({ input: 'one', ...body }, { id: 'resp_1' });
    const previous_response_id = 'store' in body ? 'resp_1' : 'resp_9';
    const refusal = refusalOf(() => world.open({ input: 'two', previous_response_id }));
    expect(refusal.status).toBe(400);
    expect(refusal.body().error).toMatchObject({
      code: 'previous_response_not_found',
      param: 'previous_response_id',
      type: 'invalid_request_error',
    });
  });

  test('one that failed is not found', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1', status: 'failed' });
    const refusal = refusalOf(() => world.open({ input: 'two', previous_response_id: 'resp_1' }));
    expect(refusal.code).toBe('previous_response_not_found');
  });

  test('a conversation whose beginning is forgotten is not gone on with as if it were whole', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1' });
    world.turn({ input: 'two', previous_response_id: 'resp_1' }, { id: 'resp_2' });
    world.history.delete('resp_1');
    const refusal = refusalOf(() => world.open({ input: 'three', previous_response_id: 'resp_2' }));
    expect(refusal.code).toBe('previous_response_not_found');
    expect(refusal.message).toContain('"resp_1"');
  });

  test('what is no input is still there for others to refuse', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1' });
    const { call } = world.open({ input: 5, previous_response_id: 'resp_1' });
    expect(sent(call).input).toEqual([asked('one'), 5]);
  });

  test('one that took the place of what it went on from is not its own beginning', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1' });
    world.turn({ input: 'two', previous_response_id: 'resp_1' }, { id: 'resp_1' });
    expect(() => world.open({ input: 'three', previous_response_id: 'resp_1' })).toThrow(/no longer kept/);
  });

  test('a conversation that is used stays whole for as long as it is used', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] });
    for (let turn = 2; turn < 6; turn++) {
      world.clock.advance(9 * MINUTE);
      world.turn({ input: 'on', previous_response_id: `resp_${turn - 1}` }, { id: `resp_${turn}` });
    }
    const { call } = world.open({ input: 'now', previous_response_id: 'resp_5' });
    expect(sent(call).input).toContainEqual(said('uno'));
  });

  test('what comes to more than a request may have is refused, however it comes to that', () => {
    const world = new World({ keepMs: MINUTE, bytesMax: 200 << 20 });
    const large = said('x'.repeat(5 << 20), 'msg_large');
    world.turn({ input: 'one' }, { id: 'resp_1', output: [large] });
    const reference = { type: 'item_reference', id: 'msg_large' };
    const refusal = refusalOf(() => world.open({ input: Array.from({ length: 8 }, () => reference) }));
    expect(refusal.code).toBe('body_too_large');
  });

  test('so is a chain of what is too much together', () => {
    const world = new World({ keepMs: MINUTE, bytesMax: 200 << 20 });
    const input = 'y'.repeat(7 << 20);
    world.turn({ input }, { id: 'resp_1' });
    world.turn({ input }, { id: 'resp_2' });
    // Each goes on from the one before: what is kept is only what each of them added.
    for (let turn = 2; turn <= 4; turn++) world.turn({ input, ...from(turn - 1) }, { id: `resp_${turn}` });
    expect(refusalOf(() => world.turn({ input, ...from(4) }, { id: 'resp_5' })).code).toBe('body_too_large');
  });
});

function from(turn: number) {
  return { previous_response_id: `resp_${turn}` };
}

describe('item_reference, for an upstream that speaks only chat', () => {
  test('an item that is known stands in place of each reference to it', () => {
    const world = new World();
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'hm' }] };
    world.turn({ input: 'one' }, { id: 'resp_1', output: [reasoning, said('uno')] });
    const { call } = world.open({
      input: [
        asked('one'),
        { type: 'item_reference', id: 'rs_1' },
        { id: 'msg_uno' },
        { type: null, id: 'msg_uno' },
        asked('two'),
      ],
    });
    expect(sent(call).input).toEqual([asked('one'), reasoning, said('uno'), said('uno'), asked('two')]);
  });

  test('references inside of what is kept are put in place too', () => {
    const world = new World();
    world.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] });
    world.turn(
      { input: [{ type: 'item_reference', id: 'msg_uno' }, asked('two')] },
      { id: 'resp_2', output: [said('dos')] },
    );
    const { call } = world.open({ input: 'three', previous_response_id: 'resp_2' });
    expect(sent(call).input).toEqual([said('uno'), asked('two'), said('dos'), asked('three')]);
  });

  test('reasoning that is not known is left out: it was never ours to send', () => {
    const { call } = new World().open({ input: [{ type: 'item_reference', id: 'rs_9' }, asked('one')] });
    expect(sent(call).input).toEqual([asked('one')]);
  });

  test.each(['msg_9', 'fc_9', 'x'])('%s, which is not known, is 404 and names its place', (id) => {
    const refusal = refusalOf(() =>
      new World().open({ input: [asked('a'), { type: 'item_reference', id }] }),
    );
    expect(refusal.status).toBe(404);
    expect(refusal.body().error).toMatchObject({ code: 'item_not_found', param: 'input[1].id' });
  });
});

describe('for an upstream that speaks Responses', () => {
  const world = () => {
    const made = new World();
    made.models = { m: [OPENAI, OTHER], small: [OPENAI] };
    return made;
  };

  test('what it keeps itself is its to know: the body passes as it is, to it and to no other', () => {
    const made = world();
    made.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] }, OPENAI);
    const body = { input: [{ type: 'item_reference', id: 'msg_uno' }], previous_response_id: 'resp_1' };
    const { call } = made.open(body);
    expect(sent(call)).toEqual({ model: 'm', ...body });
    expect(call.home).toEqual(keyOf(OPENAI));
  });

  test('another model of the same server knows it as well', () => {
    const made = world();
    made.turn({ input: 'one' }, { id: 'resp_1' }, OPENAI);
    const { call } = made.open({ model: 'small', input: 'two', previous_response_id: 'resp_1' });
    expect(call.home).toEqual(keyOf(OPENAI, 'small'));
  });

  test('a client that knows the response by our id is translated to the upstream its own', () => {
    const made = world();
    const opened = made.open({ input: 'one' });
    const told = { bytes: [json(response({ id: 'resp_ours' }))], upstreamId: 'resp_theirs' };
    opened.keep({ target: keyOf(OPENAI), dialect: 'responses' }, told);
    const { call } = made.open({ input: 'two', previous_response_id: 'resp_ours' });
    expect(sent(call)).toEqual({ model: 'm', input: 'two', previous_response_id: 'resp_theirs' });
    expect(made.history.upstreamOf('resp_ours')).toEqual({ target: keyOf(OPENAI), id: 'resp_theirs' });
  });

  test('one that is gone leaves the conversation to the others, without what only it can read', () => {
    const made = world();
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'theirs' };
    made.turn({ input: 'one' }, { id: 'resp_1', output: [reasoning, said('uno')] }, OPENAI);
    made.models = { m: [OTHER] };
    const { call } = made.open({ input: 'two', previous_response_id: 'resp_1' });
    const { id: _id, status: _status, ...portable } = said('uno');
    expect(sent(call)).toEqual({ model: 'm', input: [asked('one'), portable, asked('two')] });
    expect(call.home).toBeUndefined();
  });

  test.each([
    ['says that it keeps nothing', {}, { store: false }],
    ['says nothing of keeping it', {}, { store: undefined }],
    ['was told to keep nothing', { store: true }, { store: false }],
  ])('one that %s gets the conversation written out', (_name, body, answer) => {
    const made = world();
    made.turn({ input: 'one', ...body }, { id: 'resp_1', output: [said('uno')], ...answer }, OPENAI);
    const { call } = made.open({ input: 'two', previous_response_id: 'resp_1' });
    expect(call.home).toBeUndefined();
    expect(sent(call).input).toHaveLength(3);
  });

  test('the server that wrote the reasoning gets it back where it can read it, and no other server does', () => {
    const made = new World();
    made.models = { m: [OTHER] };
    const open = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'hm' }],
    };
    const sealed = { type: 'reasoning', id: 'rs_2', summary: [], encrypted_content: 'x' };
    const bare = { type: 'reasoning', id: 'rs_3', summary: [] };
    made.turn({ input: 'one' }, { id: 'resp_1', store: false, output: [open, sealed, bare] }, OTHER);
    const body = { input: 'two', previous_response_id: 'resp_1' };
    expect(sent(made.open(body).call).input).toEqual([asked('one'), open, sealed, asked('two')]);
    made.models = { m: [OTHER, OPENAI] };
    expect(sent(made.open(body).call).input).toEqual([asked('one'), asked('two')]);
  });

  test('items of two servers are written out: neither knows those of the other', () => {
    const made = world();
    made.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] }, OPENAI);
    made.turn({ input: 'two' }, { id: 'resp_2', output: [said('dos')] }, OTHER);
    const { call } = made.open({ input: [{ id: 'msg_uno' }, { id: 'msg_dos' }, asked('three')] });
    expect(call.home).toBeUndefined();
    expect(sent(call).input).toMatchObject([{ role: 'assistant' }, { role: 'assistant' }, asked('three')]);
  });

  test('what is not known here passes untouched: only the upstream can judge', () => {
    const made = world();
    const body = { input: [{ type: 'item_reference', id: 'msg_9' }], previous_response_id: 'resp_9' };
    const { call } = made.open(body);
    expect(sent(call)).toEqual({ model: 'm', ...body });
    made.models = { m: [CHAT, OTHER] };
    expect(made.open(body).call.home).toEqual(keyOf(OTHER));
  });

  test('an upstream is still known by the id of a response that is forgotten here', () => {
    const made = new World({ keepMs: MINUTE, bytesMax: 4_000 });
    made.models = { m: [OPENAI, OTHER] };
    made.turn({ input: 'one' }, { id: 'resp_1' }, OTHER);
    for (let turn = 2; turn < 9; turn++) made.turn({ input: 'on' }, { id: `resp_${turn}` }, OPENAI);
    expect(made.history.find('resp_1')).toBeUndefined();
    const { call } = made.open({ input: 'two', previous_response_id: 'resp_1' });
    expect(call.home).toEqual(keyOf(OTHER));
    expect(call.writtenOut).toBeUndefined();
  });

  test('a call can still be written out when its home turns out to know nothing', () => {
    const made = world();
    made.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] }, OPENAI);
    const { call } = made.open({ input: 'two', previous_response_id: 'resp_1' });
    const written = call.writtenOut?.();
    expect(written?.home).toBeUndefined();
    expect(written === undefined ? undefined : sent(written)).toMatchObject({
      input: [asked('one'), { role: 'assistant' }, asked('two')],
    });
  });

  test('a response that runs in the background is only known to be there', () => {
    const made = world();
    made.turn({ input: 'one', background: true }, { id: 'resp_1', status: 'queued' }, OTHER);
    expect(made.history.find('resp_1')).toBeUndefined();
    expect(made.history.upstreamOf('resp_1')).toEqual({ target: keyOf(OTHER), id: 'resp_1' });
  });
});

test('a call that refers to nothing is the very same', () => {
  const world = new World();
  const body = { model: 'm', input: [asked('one'), said('uno')] };
  const { call } = world.open(body);
  expect(sent(call)).toEqual(body);
  expect(call.continues).toBeUndefined();
});

test('a model that nobody has is for the router to refuse, whatever is referred to', () => {
  const body = { model: 'gone', input: 'two', previous_response_id: 'resp_9' };
  expect(sent(new World().open(body).call)).toEqual(body);
});

test.each([[CHAT], [OPENAI]])('our own summary is a message again, also for %o', (place) => {
  const world = new World();
  world.models = { m: [place] };
  const { call } = world.open({ input: [compactionItem('cmp_1', 'They met in Oslo.'), asked('two')] });
  expect(sent(call).input).toMatchObject([
    { type: 'message', role: 'developer', content: [{ text: expect.stringContaining('They met in Oslo.') }] },
    asked('two'),
  ]);
});

test("another provider's compaction is left as it is", () => {
  const foreign = { type: 'compaction', id: 'cmp_1', encrypted_content: 'gAAAA' };
  const { call } = new World().open({ input: [foreign, asked('two')] });
  expect(sent(call).input).toEqual([foreign, asked('two')]);
});

test('where nothing is to be kept nothing is', () => {
  const world = new World(null);
  const opened = world.open({ input: 'one' });
  expect(opened.keeps).toBe(false);
  world.turn({ input: 'one' }, { id: 'resp_1' });
  expect(refusalOf(() => world.open({ input: 'two', previous_response_id: 'resp_1' })).status).toBe(400);
});
