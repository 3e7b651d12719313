/** HE8: more idle connections than the proxy takes, and many short ones. */
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { HTTP_CHECK_MS, HTTP_CONNECTIONS_MAX, HTTP_HEADERS_MS } from '../src/core/limits.ts';
import { startDaemon } from './daemon.ts';
import { descriptors, quietRssMiB, until } from './node-figures.ts';
import { inParallel, type Part, Report } from './part.ts';

const OVER = 88;
const CHURN = 5_000;
const TOGETHER = 50;
const RSS_RATIO_MAX = 1.1;
const WARM = 500;

export const connections: Part = {
  name: 'connections',
  what: 'HE8: 88 idle connections over the cap of the proxy, and 5,000 that come and go',
  async run({ count = CHURN }, report) {
    await using daemon = await startDaemon();
    const { node, port } = daemon;
    // The first time makes room that the process keeps; from then on it must do with it.
    await idle(port, new Report('the first time'));
    await churn(port, WARM);
    const before = { rss: await quietRssMiB(node), open: descriptors(node) };
    await idle(port, report);
    await churn(port, count);
    report.say(`${count} connections came and went`);
    const settled = await until(() => Promise.resolve(descriptors(node) <= before.open + 2), 20_000);
    report.holds('descriptors are as before', settled !== undefined);
    report.most('memory against before', (await quietRssMiB(node)) / before.rss, RSS_RATIO_MAX, ' times');
  },
};

async function idle(port: number, report: Report): Promise<void> {
  const sockets: Socket[] = [];
  let closed = 0;
  await inParallel(HTTP_CONNECTIONS_MAX + OVER, TOGETHER, () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    // What it is told is read: unread, a socket does not see its end.
    socket.resume().on('close', () => closed++);
    return new Promise((resolve) =>
      socket
        .on('error', () => {})
        .once('connect', resolve)
        .once('close', () => resolve()),
    );
  });
  const cut = await until(() => Promise.resolve(closed >= OVER), 5_000);
  report.holds(`of ${sockets.length} idle connections ${closed} were cut`, cut !== undefined);
  const one = sockets.find((socket) => !socket.destroyed);
  const served = new Promise<string>((resolve) =>
    one?.once('data', (bytes) => resolve(bytes.toString('latin1'))),
  );
  one?.write('GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  report.holds('one of the others is served', (await served).startsWith('HTTP/1.1 200 '));
  const limit = HTTP_HEADERS_MS + HTTP_CHECK_MS + 5_000;
  const gone = await until(() => Promise.resolve(closed >= sockets.length - 1), 2 * limit);
  report.most('idle connections are closed after', gone ?? Number.POSITIVE_INFINITY, limit, ' ms');
  for (const socket of sockets) socket.destroy();
}

/** Connections of three requests each. */
async function churn(port: number, count: number): Promise<void> {
  await inParallel(count, TOGETHER, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 3; round++) {
      const status = await new Promise((resolve, reject) =>
        get({ port, host: '127.0.0.1', path: '/health', agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        }).on('error', reject),
      );
      if (status !== 200) throw new Error(`answered ${String(status)}`);
    }
    agent.destroy();
  });
}
