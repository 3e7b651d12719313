/** The real clock for tests that use real sockets; its timers are counted by the leak check. */
import { SystemClock } from '../../src/lib/clock.ts';

export const realClock = new SystemClock();

export function pendingTimers(): number {
  return realClock.pending;
}
