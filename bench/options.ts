/** What the command line of the benchmark says. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly rounds: number;
  /** How long each target is measured in each scenario. */
  readonly ms: number;
  /** Only scenarios whose name holds this. */
  readonly only: string;
  readonly portkey: boolean;
  /** Writes `docs/performance.md`. */
  readonly write: boolean;
  /** Profiles the daemons into this folder instead of measuring. */
  readonly profile: string | undefined;
}

export const USAGE = `npm run bench -- [options]
  --rounds N      rounds over all targets, in another order each time (3)
  --ms N          milliseconds for each target and scenario (1500)
  --only TEXT     only scenarios whose name holds TEXT
  --with portkey  installs that gateway into bench/.portkey and measures it too
  --write         writes docs/performance.md
  --profile DIR   profiles each daemon in the first scenario that --only leaves`;

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      ms: { type: 'string', default: '1500' },
      only: { type: 'string', default: '' },
      with: { type: 'string' },
      write: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  if (values.with !== undefined && values.with !== 'portkey')
    throw new Error(`--with ${values.with}: only portkey is known`);
  if (values.write && values.only !== '') throw new Error('--write needs a whole run: leave --only out');
  return {
    rounds: whole('--rounds', values.rounds),
    ms: whole('--ms', values.ms),
    only: values.only,
    portkey: values.with === 'portkey',
    write: values.write,
    profile: values.profile,
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} ${text}: a whole number from 1 is needed`);
  return value;
}
