/** What every `Socket` promises, whatever carries it. Run on real WebSockets and on the memory network alike. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Dial, type Listener, type ListenOptions, UPGRADE_REFUSED } from '../../src/lib/socket.ts';
import { RecordedSocket } from '../support/recorded-socket.ts';

export interface SocketWorld {
  readonly dial: Dial;
  listen(options: ListenOptions<string>): Promise<Listener>;
  /** The URL under which others reach a port. */
  url(port: number): string;
  /** A URL where a dial hears nothing. */
  silentUrl(): Promise<string>;
  /** Waits until it is so; fails by name when it never is. */
  until(what: string, check: () => boolean): Promise<void>;
  close(): Promise<void>;
}

const SUBPROTOCOL = 'contract.v1';
const CAPS = { messageBytesMax: 1_000, fragmentsMax: 16, chunksMax: 1_024, closeMs: 300 };

export function socketContract(makeWorld: () => SocketWorld): void {
  let world: SocketWorld;
  let listener: Listener;
  const accepted: RecordedSocket[] = [];
  const dialled: RecordedSocket[] = [];
  let greeting: string | undefined;

  const dial = (url = world.url(listener.port), pass = 'friend', subprotocol = SUBPROTOCOL) => {
    const socket = world.dial(url, { ...CAPS, subprotocol, headers: { 'x-pass': pass }, openMs: 300 });
    const recorded = new RecordedSocket(socket);
    dialled.push(recorded);
    return recorded;
  };

  const pair = async () => {
    const near = dial();
    await world.until('the dialled socket is open', () => near.opened === 1);
    const far = accepted.at(-1);
    if (far === undefined) throw new Error('nothing was accepted');
    return { near, far };
  };

  beforeEach(async () => {
    world = makeWorld();
    accepted.length = 0;
    dialled.length = 0;
    greeting = undefined;
    listener = await world.listen({
      ...CAPS,
      host: '127.0.0.1',
      port: 0,
      subprotocol: SUBPROTOCOL,
      openMs: 300,
      pendingMax: 4,
      admit: ({ 'x-pass': pass }) => (pass === 'friend' ? pass : undefined),
      onSocket: (socket, pass) => {
        const recorded = new RecordedSocket(socket);
        accepted.push(recorded);
        if (greeting !== undefined) recorded.say(`${greeting} ${pass}`);
      },
    });
  });

  afterEach(async () => {
    for (const { socket } of [...dialled, ...accepted]) socket.destroy();
    await world.until('every socket tells of its end', () =>
      [...dialled, ...accepted].every(({ closed }) => closed.length > 0),
    );
    for (const { closed, late } of [...dialled, ...accepted]) expect([closed.length, late]).toEqual([1, 0]);
    await listener.close();
    await world.close();
  });

  test('messages cross both ways, whole and in order', async () => {
    const { near, far } = await pair();
    for (const text of ['one', 'two', 'three']) near.say(text);
    for (const text of ['four', 'five']) far.say(text);
    await world.until('all five are there', () => near.messages.length === 2 && far.messages.length === 3);
    expect(far.texts).toEqual(['one', 'two', 'three']);
    expect(near.texts).toEqual(['four', 'five']);
    expect(far.opened).toBe(0);
  });

  test('an accepted socket knows its pass and can send in the turn in which it is handed over', async () => {
    greeting = 'welcome';
    const { near } = await pair();
    await world.until('the greeting is there', () => near.messages.length === 1);
    expect(near.texts).toEqual(['welcome friend']);
  });

  test.each(['near', 'far'] as const)(
    'a close by the %s end tells both ends its code, after what was sent',
    async (by) => {
      const ends = await pair();
      const other = by === 'near' ? ends.far : ends.near;
      ends[by].say('last words');
      ends[by].socket.close(4003, '');
      ends[by].say('not heard');
      await world.until('both ends are closed', () => ends.near.closed.length + ends.far.closed.length === 2);
      expect([ends.near.closed[0]?.code, ends.far.closed[0]?.code]).toEqual([4003, 4003]);
      expect(other.texts).toEqual(['last words']);
    },
  );

  test.each(['near', 'far'] as const)('a connection that the %s end cuts is 1006 for both', async (by) => {
    const ends = await pair();
    ends[by].socket.destroy();
    expect(ends[by].closed).toEqual([]);
    await world.until('both ends are closed', () => ends.near.closed.length + ends.far.closed.length === 2);
    expect([ends.near.closed[0]?.code, ends.far.closed[0]?.code]).toEqual([1006, 1006]);
  });

  test.each(['near', 'far'] as const)(
    'a message of the cap arrives at the %s end, one byte more closes 1009',
    async (at) => {
      const { near, far } = await pair();
      const [from, to] = at === 'far' ? [near, far] : [far, near];
      from.socket.send(Buffer.alloc(CAPS.messageBytesMax, 1));
      await world.until('the message is there', () => to.messages.length === 1);
      from.socket.send(Buffer.alloc(CAPS.messageBytesMax + 1, 1));
      await world.until('both ends are closed', () => near.closed.length + far.closed.length === 2);
      expect(from.closed[0]?.code).toBe(1009);
      expect(to.closed[0]?.code).toBe(1006);
      expect(to.messages).toHaveLength(1);
    },
  );

  test.each([
    ['without the right pass', 'stranger', SUBPROTOCOL],
    ['with another subprotocol', 'friend', 'contract.v2'],
  ])('a dial %s is refused, and says so', async (_what, pass, subprotocol) => {
    const near = dial(undefined, pass, subprotocol);
    await world.until('the dial has ended', () => near.closed.length === 1);
    expect(near.closed[0]).toEqual({ code: 1006, reason: UPGRADE_REFUSED });
    expect([near.opened, accepted.length]).toEqual([0, 0]);
  });

  test('a dial where nobody listens ends with 1006', async () => {
    await listener.close();
    const near = dial();
    await world.until('the dial has ended', () => near.closed.length === 1);
    expect(near.closed[0]?.code).toBe(1006);
    expect(near.closed[0]?.reason).toContain('ECONNREFUSED');
  });

  test('a dial that hears nothing ends when its time is up', async () => {
    const near = dial(await world.silentUrl());
    await world.until('the dial has ended', () => near.closed.length === 1);
    expect(near.closed[0]).toEqual({ code: 1006, reason: 'Opening handshake has timed out' });
  });

  test.each(['close', 'destroy'] as const)('a dial can be given up by %s before it is open', async (how) => {
    const near = dial();
    if (how === 'close') near.socket.close(1001, '');
    else near.socket.destroy();
    await world.until('the dial has ended', () => near.closed.length === 1);
    expect(near.closed[0]?.code).toBe(1006);
    expect(near.opened).toBe(0);
  });

  test('what is sent counts as unsent until it has left, and its leaving is told', async () => {
    const { near, far } = await pair();
    for (let index = 0; index < 50; index++) near.socket.send(Buffer.alloc(1_000, index));
    await world.until('all is there', () => far.messages.length === 50 && near.socket.unsentBytes === 0);
    expect(near.drained).toBeGreaterThan(0);
  });
}
