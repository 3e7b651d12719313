/** The agents of the acceptance run: which versions, and where they are kept between two runs. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Pinned: what a newer one sends is for another run to find out. */
const VERSIONS = { '@openai/codex': '0.169.0', 'opencode-ai': '1.18.33' } as const;
/** Both bring binaries of some hundred megabytes. */
const INSTALL_MS = 15 * 60_000;

const cache = fileURLToPath(new URL('.cache/', import.meta.url));

/** Programs to run, each with the arguments that come before its own. */
export interface Agents {
  readonly codex: readonly [string, ...string[]];
  readonly opencode: readonly [string, ...string[]];
}

/** Fetches what is not there yet. No script of a package runs. */
export async function installAgents(): Promise<Agents> {
  const missing = Object.entries(VERSIONS).filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length > 0) {
    await mkdir(cache, { recursive: true });
    const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    const wanted = Object.entries(VERSIONS).map(([name, version]) => `${name}@${version}`);
    await promisify(execFile)('npm', ['install', '--prefix', cache, ...options, ...wanted], {
      timeout: INSTALL_MS,
    });
  }
  return {
    codex: [process.execPath, `${cache}node_modules/@openai/codex/bin/codex.js`],
    // Its own launcher is made by a script of its package.
    opencode: [`${cache}node_modules/opencode-${process.platform}-${process.arch}/bin/opencode`],
  };
}

function installedVersion(name: string): string | undefined {
  try {
    const { version }: { version: string } = JSON.parse(
      readFileSync(`${cache}node_modules/${name}/package.json`, 'utf8'),
    );
    return version;
  } catch {
    // Not installed.
    return undefined;
  }
}
