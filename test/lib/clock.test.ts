import { stat } from 'node:fs';
import { expect, test } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';

test('after runs once, and is not pending any more', async () => {
  const clock = new SystemClock();
  let runs = 0;
  clock.after(1, () => runs++);
  expect(clock.pending).toBe(1);
  await eventually('it ran', () => runs === 1);
  expect(clock.pending).toBe(0);
});

test('every runs again and again until it is cancelled', async () => {
  const clock = new SystemClock();
  let runs = 0;
  const cancel = clock.every(1, () => runs++);
  await eventually('it ran three times', () => runs >= 3);
  cancel();
  expect(clock.pending).toBe(0);
});

test('what is cancelled does not run, and cancelling twice or late does nothing', async () => {
  const clock = new SystemClock();
  const ran: string[] = [];
  const cancels = [
    clock.after(1, () => ran.push('after')),
    clock.every(1, () => ran.push('every')),
    clock.soon(() => ran.push('soon')),
  ];
  for (const cancel of [...cancels, ...cancels]) cancel();
  const late = clock.after(1, () => ran.push('last'));
  await eventually('the last ran', () => ran.length > 0);
  late();
  expect(ran).toEqual(['last']);
  expect(clock.pending).toBe(0);
});

test('soon runs behind the promises of the turn that reads, and before the next timer', async () => {
  const clock = new SystemClock();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    // Behind a read, as it is used: from anywhere else a timer that is due may come first.
    stat('.', () => {
      clock.after(0, () => resolve(void order.push('after')));
      clock.soon(() => order.push('soon'));
      void Promise.resolve().then(() => order.push('promise'));
    });
  });
  expect(order).toEqual(['promise', 'soon', 'after']);
});

test('now never goes back and wall is the calendar', () => {
  const clock = new SystemClock();
  const [first, second] = [clock.now(), clock.now()];
  expect(second).toBeGreaterThanOrEqual(first);
  expect(Math.abs(clock.wall() - Date.now())).toBeLessThan(1_000);
});

test('the fake clock fires in the order of times, and a sleep fires all that was due at its end', () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  clock.after(20, () => fired.push(`b at ${clock.now()}`));
  clock.after(10, () => fired.push(`a at ${clock.now()}`));
  clock.advance(30);
  expect(fired).toEqual(['a at 10', 'b at 20']);
  clock.after(10, () => fired.push(`c at ${clock.now()}`));
  clock.sleep(100);
  expect(fired.at(-1)).toBe('c at 130');
  expect(clock.pending).toBe(0);
});
