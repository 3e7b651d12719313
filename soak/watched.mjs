// Loaded into a daemon under test. On SIGUSR2 it writes down the longest lag of its event loop since the last time, and
// collects its garbage, so that its memory can be compared.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The collection is a lag of its own, which is not the daemon's. */
const COLLECTED_MS = 100;
const lag = monitorEventLoopDelay({ resolution: 5 });
lag.enable();

process.on('SIGUSR2', () => {
  writeFileSync(join(process.env.CLAWMATRIX_HOME, 'lag-ms'), String(lag.max / 1e6));
  globalThis.gc();
  setTimeout(() => lag.reset(), COLLECTED_MS);
});
