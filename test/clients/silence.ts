/** An upstream that is silent, for all clients of a test file at once. */
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { chatEvents, responsesEvents } from '../support/openai-bodies.ts';
import type { Script } from '../support/scripted-upstream.ts';
import { MODELS, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import { startTap, type WireTap } from '../support/wire-tap.ts';
import type { Client } from './client.ts';
import { EVENT_STREAM, UPSTREAMS } from './scene.ts';

/** The first sign of life comes after 14 s, and this waits for one in each of two silences. */
const SILENT_MS = 60_000;
/** As bytes on the wire: an event on Responses, a chunk that adds nothing on chat. */
const SIGN_OF_LIFE = /event: keepalive\n|"delta":\{\},"finish_reason":null/g;

/** All clients at once: each silence takes as long as the time between two signs of life. */
export function waitsThrough(clients: readonly Client[]): void {
  test(
    'a silent upstream, before its first byte and in mid-stream, is waited for through signs of life',
    async () => {
      await using nodes = await startTwoNodes({ alpha: { timeouts: { holdMs: 200 } } });
      const { hostname: host, port } = new URL(nodes.url);
      await using tap = await startTap({ host, port: Number(port) });
      const asked = clients.flatMap((client) => UPSTREAMS.map((upstream) => ({ client, upstream })));
      const silent = silences(nodes, tap, asked.length);
      const url = `http://${host}:${tap.port}/v1`;
      const got = asked.map(({ client, upstream }) =>
        client.ask({ url, model: MODELS[upstream] }, { text: 'Take your time.' }),
      );
      await silent;
      expect((await Promise.all(got)).map(({ text }) => text)).toEqual(asked.map(() => 'Slowly'));
    },
    2 * SILENT_MS,
  );
}

async function silences({ upstream }: TwoNodes, tap: WireTap, calls: number): Promise<void> {
  const waiting: Parameters<Script>[] = [];
  upstream.always((...one) => void waiting.push(one));
  const seen = () => tap.bytes().toString().match(SIGN_OF_LIFE)?.length ?? 0;
  const quiet = async (what: string) => {
    const before = seen();
    await eventually(what, () => seen() >= before + calls, SILENT_MS);
  };
  await eventually('every call has come to the upstream', () => waiting.length === calls, SILENT_MS);
  await quiet('a sign of life for every client before the first byte');
  const streams = waiting.map(([response, { url }]) => {
    const events = (url.includes('/responses') ? responsesEvents : chatEvents)({ text: ['Slow', 'ly'] });
    const begun = events.findIndex((event) => event.includes('"Slow"')) + 1;
    response.writeHead(200, EVENT_STREAM).write(events.slice(0, begun).join(''));
    return { response, rest: events.slice(begun).join('') };
  });
  await quiet('a sign of life for every client in mid-stream');
  for (const { response, rest } of streams) response.end(rest);
}
