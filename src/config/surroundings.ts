/** What our configuration asks for outside of itself: OpenClaw's file, read only where it is wanted. */
import type { Secrets } from '../lib/log.ts';
import type { Environment } from './expand.ts';
import type { Fault } from './faults.ts';
import { type FileRead, placed } from './file.ts';
import { readOpenclaw } from './openclaw.ts';
import { openclawPath } from './paths.ts';
import type { Config } from './schema.ts';
import { type Surroundings, wantsOpenclaw } from './upstreams.ts';

export interface SurroundingsParts {
  readonly env: Environment;
  readonly secrets: Secrets;
  readonly configPath: string;
  /** What was read there. */
  readonly file: FileRead;
}

export interface SurroundingsFound {
  readonly surroundings: Surroundings;
  /** That a file which our configuration names is not there is a fault of it; what is in that file is not. */
  readonly faults: readonly Fault[];
}

/** A configuration with faults of its own asks for nothing. */
export async function surroundingsOf(
  config: Config | undefined,
  { env, secrets, configPath, file }: SurroundingsParts,
): Promise<SurroundingsFound> {
  if (config === undefined || !wantsOpenclaw(config))
    return {
      surroundings: { openclaw: { kind: 'absent', path: openclawPath(env) }, env, secrets },
      faults: [],
    };
  const named = config.openclaw?.config;
  const openclaw = await readOpenclaw({ named, configPath, env });
  const surroundings = { openclaw, env, secrets };
  if (named === undefined || openclaw.kind === 'read' || openclaw.kind === 'malformed')
    return { surroundings, faults: [] };
  const why = openclaw.kind === 'absent' ? 'there is no such file' : openclaw.why;
  const fault = { path: ['openclaw', 'config'], message: `${openclaw.path}: ${why}` };
  return { surroundings, faults: [placed(fault, file)] };
}
