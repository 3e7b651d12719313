/** A link that is cut silently: both ends notice, a call over it fails, and the link comes back by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { peersOf, until } from './node-figures.ts';
import { startPair } from './pair.ts';
import type { Part, Report } from './part.ts';
import { type SilentProxy, startSilentProxy } from './silent-proxy.ts';

const NOTICED_MS = 16_000;
const HEALED_MS = 30_000;
/** What asking the daemons costs, on top of both bounds. */
const LOOK_MS = 200;
const DARK_MS = 10_000;

export const cut: Part = {
  name: 'cut',
  what: 'a link cut silently: noticed within 16 s, back within 30 s after bytes flow again',
  async run(_options, report) {
    const proxies: SilentProxy[] = [];
    await using pair = await startPair(async (mesh) => {
      const proxy = await startSilentProxy(Number(new URL(mesh).port));
      proxies.push(proxy);
      return `ws://127.0.0.1:${proxy.port}`;
    });
    const [proxy] = proxies;
    if (proxy === undefined) throw new Error('no proxy');
    try {
      await cutAndHeal(proxy, pair, report);
    } finally {
      await proxy.close();
    }
  },
};

async function cutAndHeal(
  proxy: SilentProxy,
  { alpha, bravo, url }: Awaited<ReturnType<typeof startPair>>,
  report: Report,
): Promise<void> {
  const nodes = [alpha, bravo];
  proxy.silent = true;
  const cutAt = performance.now();
  const broken = fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'small', messages: [] }),
  }).then(({ status }) => ({ status, ms: performance.now() - cutAt }));
  await Promise.all(
    nodes.map(async (node) => {
      const ms = await until(async () => (await peersOf(node)).direct === 0, 2 * NOTICED_MS);
      report.most(`${node.name} notices after`, ms ?? Number.POSITIVE_INFINITY, NOTICED_MS + LOOK_MS, ' ms');
    }),
  );
  const { status, ms } = await broken;
  report.holds(`a call over the cut link got ${status} after ${Math.round(ms)} ms`, status >= 500);
  await sleep(DARK_MS);
  proxy.silent = false;
  await Promise.all(
    nodes.map(async (node) => {
      const healed = await until(async () => (await peersOf(node)).direct === 1, 2 * HEALED_MS);
      report.most(
        `${node.name} is linked again after`,
        healed ?? Number.POSITIVE_INFINITY,
        HEALED_MS + LOOK_MS,
        ' ms',
      );
    }),
  );
}
