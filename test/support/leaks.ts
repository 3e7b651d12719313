/** Runs beside every test file: a socket, server, child process or timer that outlives its test fails the file. */
import { afterAll } from 'vitest';
import { eventually } from './eventually.ts';
import { pendingTimers } from './real-clock.ts';

const WATCHED = new Set(['TCPSocketWrap', 'TCPServerWrap', 'ProcessWrap', 'TLSWrap', 'PipeServerWrap']);

function open(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => WATCHED.has(kind));
}

// Registered first, so it runs last: behind the hooks that close what the file opened.
afterAll(async () => {
  await eventually(
    'every socket, server and child process of this test file is closed',
    () => open().length === 0,
  ).catch((error: unknown) => {
    throw new Error(`left open by this test file: ${open().join(', ')}`, { cause: error });
  });
  const timers = pendingTimers();
  if (timers > 0) throw new Error(`${timers} timers of the real clock were left behind by this test file`);
});
