/** What every client must get of an upstream that fails, or answers in another form than it was asked. */
import { expect } from 'vitest';
import {
  chatBody,
  chatEvents,
  dataEvent,
  namedEvent,
  responsesBody,
  responsesEvents,
} from '../support/openai-bodies.ts';
import { cutsAfter, json, raw, refuses } from '../support/scripted-upstream.ts';
import { EVENT_STREAM, failure, type Promised, type Scene, scripted, type Upstream } from './scene.ts';

/** The start of a stream in the upstream's own dialect, with some text in it. */
const BEGUN: Readonly<Record<Upstream, string>> = {
  chat: chatEvents({ text: ['Half of', ' it'] })
    .slice(0, 2)
    .join(''),
  responses: responsesEvents({ text: ['Half of', ' it'] })
    .slice(0, 5)
    .join(''),
};

/** How a server of that dialect tells that it broke. */
const BROKEN: Readonly<Record<Upstream, string>> = {
  chat: dataEvent({ error: { message: 'out of memory', type: 'server_error', param: null, code: 'oom' } }),
  responses: namedEvent(
    Object.assign(
      { type: 'error', sequence_number: 5 },
      { code: 'oom', message: 'out of memory', param: null },
    ),
  ),
};

export const SURPRISES: readonly Promised[] = [
  {
    name: 'JSON where a stream was asked for is a stream for the client',
    async holds({ client, upstream, place, nodes }) {
      scripted(nodes, [json(200, (upstream === 'chat' ? chatBody : responsesBody)({ text: ['Hello'] }))]);
      expect(await client.ask(place, { text: 'Hi' })).toMatchObject({ text: 'Hello', ending: 'stop' });
    },
  },
  {
    name: 'a stream where a whole answer was asked for is a whole answer for the client',
    needs: 'whole answers',
    async holds({ client, upstream, place, nodes }) {
      const events = (upstream === 'chat' ? chatEvents : responsesEvents)({ text: ['Hel', 'lo'] });
      scripted(nodes, [raw({ headers: EVENT_STREAM }, events.join(''))]);
      const got = await client.ask(place, { text: 'Hi', isWhole: true });
      expect(got).toMatchObject({ text: 'Hello', ending: 'stop' });
    },
  },
  {
    name: 'an error with status 200 is an error, in its words',
    async holds(scene) {
      const odd = json(200, { error: { message: 'out of memory', type: 'server_error', code: 'oom' } });
      const { message } = await failure(scene, odd);
      expect(message).toMatch(/out of memory/);
    },
  },
];

export const FAILURES: readonly Promised[] = [
  {
    name: 'a 429 of the upstream is the error of the library, and says when to try again',
    async holds(scene) {
      const busy = refuses(429, { message: 'not now', code: 'rate_limit_exceeded' }, { 'retry-after': '7' });
      const { status, message, retryAfter } = await failure(scene, busy);
      expect(status).toBe(429);
      expect(message).toMatch(/not now/);
      if (scene.client.abilities.includes('headers of a refusal')) expect(retryAfter).toBe('7');
    },
  },
  ...[400, 500].map((refused) => ({
    name: `a ${refused} of the upstream is the error of the library, in the upstream's words`,
    async holds(scene: Scene) {
      const { status, message } = await failure(scene, refuses(refused, { message: 'no such luck' }));
      expect(status).toBe(refused);
      expect(message).toMatch(/no such luck/);
    },
  })),
  {
    name: 'an unknown model is a 404 that names it',
    async holds({ place, ...scene }) {
      const { status, message } = await failure({ ...scene, place: { ...place, model: 'no-such-model' } });
      expect(status).toBe(404);
      expect(message).toContain('no-such-model');
    },
  },
  {
    name: 'a stream that is cut in the middle is an error, never a complete answer',
    async holds(scene) {
      await failure(scene, cutsAfter(BEGUN[scene.upstream]));
    },
  },
  {
    name: 'a stream that just ends in the middle is an error, never a complete answer',
    async holds(scene) {
      await failure(scene, raw({ headers: EVENT_STREAM }, BEGUN[scene.upstream]));
    },
  },
  {
    name: 'an error of the upstream in the middle of a stream is told in its words',
    async holds(scene) {
      const broken = BEGUN[scene.upstream] + BROKEN[scene.upstream];
      const { message } = await failure(scene, raw({ headers: EVENT_STREAM }, broken));
      expect(message).toMatch(/out of memory/);
    },
  },
];
