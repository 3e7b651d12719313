import { describe } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { socketContract } from './socket.contract.ts';

describe('the memory network', () => {
  socketContract(() => {
    const clock = new FakeClock();
    const network = new MemoryNetwork(clock);
    network.reaches = (_from, to) => to !== 'silent';
    const { dial, listen } = network.host('127.0.0.1');
    return {
      dial,
      listen,
      url: (port) => `ws://127.0.0.1:${port}`,
      silentUrl: () => Promise.resolve('ws://silent:1'),
      until: (what, check) => {
        for (let step = 0; step < 1_000; step++) {
          clock.advance(1);
          if (check()) return Promise.resolve();
        }
        return Promise.reject(new Error(`not within 1000 ms: ${what}`));
      },
      close: () =>
        clock.pending === 0
          ? Promise.resolve()
          : Promise.reject(new Error(`${clock.pending} timers are left`)),
    };
  });
});
