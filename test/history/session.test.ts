/** One connection remembers its last answer, also where nothing was to be stored; and streams that are about to end. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ClawError } from '../../src/core/errors.ts';
import { Kept } from '../../src/history/kept.ts';
import { namedEvent } from '../support/openai-bodies.ts';
import { asked, CHAT, homeOf, json, LIMITS, response, said, sent, World } from './world.ts';

const NOT_STORED = { store: false };
const UNKNOWN = Array.from({ length: 500 }, (_, at) => ({ type: 'item_reference', id: `msg_no_${at}` }));

afterEach(() => void vi.restoreAllMocks());

function throws(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch {
    return true;
  }
}

describe('a connection', () => {
  test('goes on from an answer that was not to be stored, turn after turn', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1', output: [said('uno')] }, CHAT, session);
    world.turn(
      { input: 'two', ...NOT_STORED, previous_response_id: 'resp_1' },
      { id: 'resp_2', output: [said('dos')] },
      CHAT,
      session,
    );
    const body = { input: 'three', ...NOT_STORED, previous_response_id: 'resp_2' };
    const all = [asked('one'), said('uno'), asked('two'), said('dos'), asked('three')];
    expect(sent(world.open(body, session).call).input).toEqual(all);
    const reference = { input: [{ type: 'item_reference', id: 'msg_dos' }] };
    expect(sent(world.open(reference, session).call).input).toEqual([said('dos')]);
  });

  test('knows only its last, and no other connection knows that', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1' }, CHAT, session);
    const body = { input: 'two', previous_response_id: 'resp_1' };
    expect(() => world.open(body, world.history.session())).toThrow(/no response/);
    expect(() => world.open(body)).toThrow(/no response/);
    world.turn({ input: 'two', ...NOT_STORED }, { id: 'resp_2' }, CHAT, session);
    expect(() => world.open(body, session)).toThrow(/no response/);
  });

  test('forgets it when going on from it fails', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1' }, CHAT, session);
    const body = { input: 'two', previous_response_id: 'resp_1' };
    const failing = world.open(body, session);
    failing.failed(new ClawError('upstream_error', 'no', { status: 500 }));
    failing.over();
    expect(() => world.open(body, session)).toThrow(/no response/);
  });

  test('keeps what is stored for all, whatever fails', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one' }, { id: 'resp_1' }, CHAT, session);
    const body = { input: 'two', previous_response_id: 'resp_1' };
    world.open(body, session).failed(new ClawError('upstream_error', 'no', { status: 500 }));
    expect(sent(world.open(body, session).call).input).toHaveLength(2);
    expect(sent(world.open(body).call).input).toHaveLength(2);
  });

  test('what is stored, and went on from what only it knew, is whole for all', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1', output: [said('uno')] }, CHAT, session);
    world.turn({ input: 'two', previous_response_id: 'resp_1' }, { id: 'resp_2' }, CHAT, session);
    const { call } = world.open({ input: 'three', previous_response_id: 'resp_2' });
    expect(sent(call).input).toEqual([asked('one'), said('uno'), asked('two'), asked('three')]);
  });

  test('reads its last answer once for all that a request refers to', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1', output: [said('uno')] }, CHAT, session);
    const reads = vi.spyOn(Kept.prototype, 'response');
    expect(() => world.open({ input: UNKNOWN }, session)).toThrow(/no item/);
    expect(reads.mock.calls.length).toBeLessThan(5);
  });

  test('closed, knows nothing any more, and remembers nothing of a call that outlasts it', () => {
    const world = new World();
    const session = world.history.session();
    world.turn({ input: 'one', ...NOT_STORED }, { id: 'resp_1' }, CHAT, session);
    session.close();
    world.turn({ input: 'two', ...NOT_STORED }, { id: 'resp_2' }, CHAT, session);
    for (const id of ['resp_1', 'resp_2'])
      expect(() => world.open({ input: 'on', previous_response_id: id }, session)).toThrow(/no response/);
  });

  test('has no more room than all have together: the one that was told longest ago forgets', () => {
    const world = new World({ ...LIMITS, bytesMax: 5_000 });
    const sessions = [1, 2, 3].map((at) => {
      const session = world.history.session();
      const body = { input: 'x'.repeat(1_500), ...NOT_STORED };
      world.turn(body, { id: `resp_${at}` }, CHAT, session);
      return session;
    });
    const knows = sessions.map((session, at) => {
      const body = { input: 'on', previous_response_id: `resp_${at + 1}` };
      return !throws(() => world.open(body, session));
    });
    expect(knows).toEqual([false, true, true]);
  });

  test('remembers where nothing is kept otherwise', () => {
    const world = new World(null);
    const session = world.history.session();
    world.turn({ input: 'one' }, { id: 'resp_1' }, CHAT, session);
    const body = { input: 'two', previous_response_id: 'resp_1' };
    expect(sent(world.open(body, session).call).input).toHaveLength(2);
    expect(() => world.open(body)).toThrow(/no response/);
  });
});

describe('a stream whose last event has passed, and that is not over here', () => {
  const running = (body: object = {}) => {
    const world = new World();
    const opened = world.open({ input: 'one', stream: true, ...body });
    const events: Buffer[] = [];
    let isCut = false;
    opened.runs({
      begun: () => events[0],
      told: () => ({ bytes: events.slice(-2) }),
      home: () => homeOf(CHAT),
      cut: () => {
        isCut = true;
      },
    });
    const tell = (type: string, status: string) =>
      events.push(
        Buffer.from(
          namedEvent({ type, ...{ response: response({ id: 'resp_1', status, output: [said('uno')] }) } }),
        ),
      );
    tell('response.created', 'in_progress');
    return { world, opened, tell, isCut: () => isCut };
  };

  test('can be gone on from, by its id and by its items', () => {
    const { world, tell } = running();
    const body = { input: 'two', previous_response_id: 'resp_1' };
    expect(() => world.open(body)).toThrow(/no response/);
    tell('response.completed', 'completed');
    expect(sent(world.open(body).call).input).toHaveLength(3);
    expect(sent(world.open({ input: [{ id: 'msg_uno' }] }).call).input).toEqual([said('uno')]);
  });

  test('is looked into once for all that a request refers to, until more of it has passed', () => {
    const { world, tell } = running();
    const searches = vi.spyOn(Buffer.prototype, 'lastIndexOf');
    expect(() => world.open({ input: UNKNOWN })).toThrow(/no item/);
    expect(searches.mock.calls.length).toBeLessThan(20);
    tell('response.completed', 'completed');
    expect(sent(world.open({ input: [{ id: 'msg_uno' }] }).call).input).toEqual([said('uno')]);
  });

  test('but not where it was not to be stored', () => {
    const { world, tell } = running(NOT_STORED);
    tell('response.completed', 'completed');
    expect(() => world.open({ input: 'two', previous_response_id: 'resp_1' })).toThrow(/no response/);
  });

  test('can no longer be cancelled; one that runs can, by its id', () => {
    const ended = running();
    ended.tell('response.completed', 'completed');
    expect(ended.world.history.cancel('resp_1')).toBeUndefined();
    expect(ended.isCut()).toBe(false);
    const { world, isCut, opened } = running();
    expect(world.history.cancel('resp_2')).toBeUndefined();
    expect(world.history.cancel('resp_1')).toMatchObject({ id: 'resp_1', status: 'cancelled' });
    expect(isCut()).toBe(true);
    opened.over();
    expect(world.history.cancel('resp_1')).toBeUndefined();
  });
});

test('the input of a response is listed with what it went on from, each item with an id that stays', () => {
  const world = new World();
  world.turn({ input: 'one' }, { id: 'resp_1', output: [said('uno')] });
  const opened = world.open({ input: 'two', previous_response_id: 'resp_1' });
  opened.keep(homeOf(CHAT), { bytes: [json(response({ id: 'resp_2' }))] });
  const items = world.history.inputItems('resp_2');
  expect(items).toMatchObject(
    [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'one' }], id: /^msg_/ },
      said('uno'),
      { role: 'user', content: [{ text: 'two' }] },
    ].map((item) => ({ ...item, id: expect.stringMatching(/^msg_/) })),
  );
  expect(world.history.inputItems('resp_2')).toEqual(items);
  expect(new Set(items?.map(({ id }) => id)).size).toBe(3);
  expect(world.history.inputItems('resp_9')).toBeUndefined();
});
