/** A state directory of a test's own, and `load` on it. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigFaults } from '../../src/config/faults.ts';
import { type Loaded, type LoadOptions, load } from '../../src/config/load.ts';
import { FakeClock } from '../support/fake-clock.ts';

export interface TestHome {
  readonly path: string;
  file(name: string, content: string | Uint8Array, mode?: number): Promise<string>;
  /** Writes clawmatrix.json, with mode 0600. */
  config(content: unknown, mode?: number): Promise<string>;
  load(options?: Partial<LoadOptions>): Promise<Loaded>;
  /** What `load` refuses to start with. */
  faults(options?: Partial<LoadOptions>): Promise<ConfigFaults>;
}

export async function testHome(): Promise<TestHome> {
  const root = await mkdtemp(join(tmpdir(), 'cm-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'home');
  await mkdir(path, { mode: 0o700 });
  const home: TestHome = {
    path,
    async file(name, content, mode = 0o600) {
      await writeFile(join(path, name), content);
      // The umask has no say.
      await chmod(join(path, name), mode);
      return join(path, name);
    },
    config: (content, mode) =>
      home.file('clawmatrix.json', typeof content === 'string' ? content : JSON.stringify(content), mode),
    load: ({ env = {}, ...options } = {}) =>
      load({
        clock: new FakeClock(),
        // The user's own OpenClaw has no part in a test.
        env: { HOME: path, CLAWMATRIX_HOME: path, ...env },
        hostName: 'studio',
        ...options,
      }),
    async faults(options) {
      const result = await home.load(options).catch((error: unknown) => error);
      if (result instanceof ConfigFaults) return result;
      throw new Error('expected load to refuse', { cause: result });
    },
  };
  return home;
}

export const KEY_43 = Buffer.alloc(32, 7).toString('base64url');
