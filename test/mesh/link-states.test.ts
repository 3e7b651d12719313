/** Every state of a link against everything that can happen to it. */
import { expect, test } from 'vitest';
import { HANDSHAKE_MS } from '../../src/core/limits.ts';
import type { Socket, SocketEvents } from '../../src/lib/socket.ts';
import { Handshake, type Session } from '../../src/mesh/handshake.ts';
import { encode } from '../protocol/fixtures.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { first, second } from '../support/identities.ts';
import { HELLO, handshakeOf, RecordedLink } from '../support/recorded-link.ts';

/** A socket that does nothing but say what was done to it. */
class StillSocket implements Socket {
  readonly remote = 'still';
  readonly unsentBytes = 0;
  readonly sent: Buffer[] = [];
  readonly done: string[] = [];
  events: SocketEvents | undefined;

  attach(events: SocketEvents): void {
    this.events = events;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(Buffer.from(bytes));
  }

  close(code: number): void {
    this.done.push(`close ${code}`);
  }

  destroy(): void {
    this.done.push('cut');
  }
}

class Bench {
  readonly clock = new FakeClock();
  readonly socket = new StillSocket();
  readonly recorded: RecordedLink;
  #session: Session | undefined;

  constructor(role: 'initiator' | 'responder') {
    const { clock, socket } = this;
    this.recorded = new RecordedLink({ socket, clock, handshake: handshakeOf(role, first) });
  }

  hear(bytes: Uint8Array): void {
    this.socket.events?.message(bytes);
  }

  /** The other side's part of the handshake. */
  shake(): this {
    const other = new Handshake(handshakeOf('initiator', second));
    this.hear(other.first());
    const { send, session } = other.receive(this.socket.sent.at(-1) ?? Buffer.alloc(0));
    this.hear(send ?? Buffer.alloc(0));
    this.#session = session;
    return this;
  }

  ready(): this {
    this.hear(this.#session?.send.seal(encode([{ type: 'ready', head: HELLO }])) ?? Buffer.alloc(0));
    this.clock.turn();
    return this;
  }

  lose(): this {
    this.socket.events?.closed(1006, '');
    return this;
  }

  get state(): string {
    const { sent, done } = this.socket;
    const { readyTimes, ends } = this.recorded;
    return JSON.stringify([sent.length, done, readyTimes, ends]);
  }
}

const STATES = {
  opening: () => new Bench('initiator'),
  'shaking, as dialler': () => {
    const bench = new Bench('initiator');
    bench.socket.events?.open();
    return bench;
  },
  'shaking, as listener': () => new Bench('responder'),
  proving: () => new Bench('responder').shake(),
  open: () => new Bench('responder').shake().ready(),
  closed: () => new Bench('responder').shake().ready().lose(),
};

const EVENTS = {
  'the socket opens': ({ socket }: Bench) => socket.events?.open(),
  'a message comes that is not right': (bench: Bench) => bench.hear(Buffer.alloc(100, 1)),
  'an empty message comes': (bench: Bench) => bench.hear(Buffer.alloc(0)),
  'the socket has room': ({ socket }: Bench) => socket.events?.drained(),
  'the connection is lost': (bench: Bench) => bench.lose(),
  'the time of the handshake is over': ({ clock }: Bench) => clock.advance(HANDSHAKE_MS),
  'a frame is sent': ({ recorded }: Bench) => recorded.link.send({ type: 'goaway', head: { reason: '' } }),
  'a call is forgotten': ({ recorded }: Bench) => recorded.link.forget(1),
  'the peer breaks a rule': ({ recorded }: Bench) => recorded.link.breach('so'),
  'the peer breaks small rules': ({ recorded }: Bench) => {
    for (const what of ['one', 'two', 'three', 'four']) recorded.link.strike(what);
  },
  'it is closed': ({ recorded }: Bench) => recorded.link.close(1001, 'stop'),
};

type Outcome = '-' | 'sends' | `ends ${number}${'' | ', closes' | ', cuts'}`;

/** In the order of `STATES`. */
const TABLE: Record<keyof typeof EVENTS, readonly [Outcome, Outcome, Outcome, Outcome, Outcome, Outcome]> = {
  'the socket opens': ['sends', '-', '-', '-', '-', '-'],
  'a message comes that is not right': [
    '-',
    'ends 4001, closes',
    'ends 4001, closes',
    'ends 4001, closes',
    'ends 4001, closes',
    '-',
  ],
  'an empty message comes': [
    '-',
    'ends 4001, closes',
    'ends 4001, closes',
    'ends 4001, closes',
    'ends 4001, closes',
    '-',
  ],
  'the socket has room': ['-', '-', '-', '-', '-', '-'],
  'the connection is lost': ['ends 1006', 'ends 1006', 'ends 1006', 'ends 1006', 'ends 1006', '-'],
  // An open link pings then; it has no handshake any more.
  'the time of the handshake is over': [
    'ends 4001, cuts',
    'ends 4001, closes',
    'ends 4001, closes',
    'ends 4001, closes',
    'sends',
    '-',
  ],
  'a frame is sent': ['-', '-', '-', '-', 'sends', '-'],
  'a call is forgotten': ['-', '-', '-', '-', '-', '-'],
  'the peer breaks a rule': [
    'ends 4400, cuts',
    'ends 4400, closes',
    'ends 4400, closes',
    'ends 4400, closes',
    'ends 4400, closes',
    '-',
  ],
  'the peer breaks small rules': [
    'ends 4005, cuts',
    'ends 4005, closes',
    'ends 4005, closes',
    'ends 4005, closes',
    'ends 4005, closes',
    '-',
  ],
  'it is closed': [
    'ends 1001, cuts',
    'ends 1001, closes',
    'ends 1001, closes',
    'ends 1001, closes',
    'ends 1001, closes',
    '-',
  ],
};

function outcomeOf(bench: Bench, event: (bench: Bench) => void): string {
  const [before, sent] = [bench.state, bench.socket.sent.length];
  const ended = bench.recorded.ends.length;
  event(bench);
  bench.clock.turn();
  const { ends } = bench.recorded;
  if (ends.length > ended) {
    const how = bench.socket.done.map((what) => (what === 'cut' ? ', cuts' : ', closes'));
    // Whatever closed it, the socket was told the same code.
    for (const what of bench.socket.done) expect(['cut', `close ${ends[0]?.code}`]).toContain(what);
    expect(bench.clock.pending).toBe(0);
    return `ends ${ends[0]?.code}${how.join('')}`;
  }
  if (bench.socket.sent.length > sent) return 'sends';
  return bench.state === before ? '-' : bench.state;
}

const rows = Object.entries(EVENTS).flatMap(([event, run]) =>
  Object.entries(STATES).map(([state, make], column) => ({ event, run, state, make, column })),
);

test.each(rows)('$state: $event', ({ event, run, make, column }) => {
  const expected = Object.entries(TABLE).find(([name]) => name === event)?.[1][column];
  expect(outcomeOf(make(), run)).toBe(expected);
});

test.each(Object.entries(STATES))('%s: the end is told once, whatever comes behind it', (_state, make) => {
  const bench = make();
  for (const run of Object.values(EVENTS)) run(bench);
  bench.clock.advance(60_000);
  expect(bench.recorded.ends).toHaveLength(1);
  expect(bench.clock.pending).toBe(0);
});

test('what waits to be sent when the connection is lost is not sent', () => {
  const bench = STATES.open();
  bench.recorded.link.send({ type: 'goaway', head: { reason: '' } });
  const { length } = bench.socket.sent;
  bench.lose().clock.turn();
  expect(bench.socket.sent).toHaveLength(length);
});

test('what was known of the peer stays readable after the end, and is not there before the meeting', () => {
  const met = STATES.closed().recorded.link;
  expect([met.peer, met.ready.name, met.met]).toEqual([second.id, HELLO.name, true]);
  const early = STATES.opening().recorded.link;
  expect(early.met).toBe(false);
  expect(() => early.peer).toThrow('not met');
});
