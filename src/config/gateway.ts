/** Which OpenClaw gateway is asked as the last resort: what our configuration says, else what OpenClaw's own does. */
import { bareHost, isLoopback } from '../lib/host.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Secrets } from '../lib/log.ts';
import type { Environment } from './expand.ts';
import { memberAt } from './json-object.ts';
import type { OpenclawFile } from './openclaw.ts';
import { asKey, readKey, type TextRead, variablesOf } from './openclaw-text.ts';
import type { Config } from './schema.ts';
import type { Warning } from './warning.ts';

export interface Gateway {
  /** The API's root. */
  readonly baseUrl: string;
  readonly token?: string;
  /** In a form that the gateway takes: `openclaw/main`. */
  readonly agent: string;
  readonly warnings: readonly Warning[];
}

export interface GatewayParts {
  readonly env: Environment;
  readonly file: OpenclawFile;
  readonly secrets: Secrets;
}

/** OpenClaw's own default. */
const PORT = 18_789;

type Written = NonNullable<NonNullable<Config['openclaw']>['gateway']>;

export function gatewayOf(written: Written, { env, file, secrets }: GatewayParts): Gateway {
  const root = file.kind === 'read' ? file.root : {};
  const url = written.url ?? `http://127.0.0.1:${portOf(root, env)}`;
  const baseUrl = url.endsWith('/v1') ? url : `${url}/v1`;
  const at = { baseUrl, agent: written.agent };
  if (written.token !== undefined) return { ...at, token: written.token, warnings: [] };
  // The token of this machine's gateway opens everything there: it is not sent to another machine unless written here.
  const own = isLoopback(bareHost(new URL(url).hostname)) ? ownToken(root, env, file.path) : undefined;
  if (own === undefined) return { ...at, warnings: [] };
  if (!own.ok)
    return {
      ...at,
      warnings: [
        { what: `the gateway's token ${own.why} (${own.from})`, mend: 'write "openclaw.gateway.token"' },
      ],
    };
  secrets.add(own.text);
  return { ...at, token: own.text, warnings: [] };
}

function portOf(root: JsonObject, env: Environment): number {
  const ports = [Number(env.OPENCLAW_GATEWAY_PORT ?? ''), memberAt(root, 'gateway', 'port')];
  const port = ports.find(
    (one) => typeof one === 'number' && Number.isInteger(one) && one > 0 && one < 65_536,
  );
  return typeof port === 'number' ? port : PORT;
}

function ownToken(
  root: JsonObject,
  env: Environment,
  path: string,
): (TextRead & { readonly from: string }) | undefined {
  const mode = memberAt(root, 'gateway', 'auth', 'mode');
  if (mode === 'none') return undefined;
  const kind = mode === 'password' ? 'password' : 'token';
  const name = `OPENCLAW_GATEWAY_${kind.toUpperCase()}`;
  const variable = env[name];
  if (variable !== undefined && variable !== '') return { ...asKey(variable), from: name };
  const written = memberAt(root, 'gateway', 'auth', kind);
  if (written === undefined) return undefined;
  return { ...readKey(written, variablesOf(root, env)), from: `gateway.auth.${kind} in ${path}` };
}
