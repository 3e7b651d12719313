/** Whether each server of models answers, takes its key, and has the models that are configured for it. */
import type { Looked } from '../../config/look.ts';
import type { Dialect } from '../../core/call.ts';
import { dialectOfApi } from '../../core/dialect.ts';
import { CLOCK_SKEW_MS_MAX } from '../../core/limits.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ModelsQuestion } from '../../daemon.ts';
import { nearestFew } from '../../lib/nearest.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';
import { DID_NOT_ANSWER, type Probed, probeHttp, TIMEOUT } from './probe.ts';

interface Server {
  readonly name: string;
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly dialect: Dialect;
  /** Configured by hand. */
  readonly models: readonly string[];
  readonly isGateway: boolean;
}

export async function checkUpstreams({ world, looked }: Case): Promise<Finding[]> {
  const findings = await Promise.all(serversOf(looked).map((server) => checkServer(server, world.clock)));
  return findings.flat();
}

/** One question to each address and key, however many models are there. */
function serversOf({ config, offer, gateway }: Looked): Server[] {
  const servers = new Map<string, Server>();
  const add = (server: Server) => {
    const key = `${server.baseUrl}\0${server.apiKey ?? ''}`;
    const known = servers.get(key);
    servers.set(
      key,
      known === undefined ? server : { ...known, models: [...known.models, ...server.models] },
    );
  };
  for (const [name, { baseUrl, apiKey, headers = {}, api }] of Object.entries(config?.providers ?? {})) {
    const dialect = (api === undefined ? undefined : dialectOfApi(api)) ?? 'chat';
    add({ name, baseUrl, apiKey, headers, dialect, models: [], isGateway: false });
  }
  for (const { card, baseUrl, apiKey, headers, gateway: agent } of offer?.upstreams ?? []) {
    const isGateway = agent !== undefined;
    const name = isGateway ? 'OpenClaw' : card.provider;
    const models = isGateway ? [] : [card.id];
    add({ name, baseUrl, apiKey, headers, dialect: card.dialect, models, isGateway });
  }
  if (gateway !== undefined)
    add({
      name: 'OpenClaw',
      baseUrl: gateway.baseUrl,
      apiKey: gateway.token,
      headers: {},
      dialect: 'chat',
      models: [],
      isGateway: true,
    });
  return [...servers.values()];
}

async function checkServer(server: Server, clock: Clock): Promise<Finding[]> {
  // Loaded only here: it is all that a daemon is made of.
  const { modelsQuestion } = await import('../../daemon.ts');
  const { dialect, apiKey, ...asked } = server;
  const key = apiKey === undefined ? {} : { apiKey };
  const { url, headers, idsIn } = modelsQuestion({ ...asked, ...key }, dialect);
  const probed = await probeHttp(url, headers, clock);
  if (probed.kind === 'failed') return [unreachable(server, probed.code)];
  return [
    ...(server.isGateway ? gatewayFindings(server, probed) : serverFindings(server, probed, idsIn)),
    ...skew(server, probed, clock),
  ];
}

function titleOf({ name, baseUrl, isGateway }: Server): string {
  // Without its path: a variable may have put a secret there.
  const { origin } = new URL(baseUrl);
  return isGateway ? `the OpenClaw gateway (${origin})` : `the server of "${name}" (${origin})`;
}

const WHY: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refuses connections: nothing listens there',
  ENOTFOUND: 'has a name that is not known',
  EAI_AGAIN: 'has a name that cannot be looked up now',
  EHOSTUNREACH: 'cannot be reached from this network',
  ENETUNREACH: 'cannot be reached from this network',
  [TIMEOUT]: DID_NOT_ANSWER,
};

function unreachable(server: Server, code: string): Finding {
  const why = WHY[code] ?? `cannot be asked (${code})`;
  const fix = server.isGateway
    ? 'start it (openclaw gateway start), or correct openclaw.gateway.url'
    : `start it, or correct the baseUrl of "${server.name}"`;
  return problem(`${titleOf(server)} ${why}`, fix);
}

type Answered = Probed & { readonly kind: 'answered' };

function serverFindings(
  server: Server,
  { status, text }: Answered,
  idsIn: ModelsQuestion['idsIn'],
): Finding[] {
  const title = titleOf(server);
  const { name, apiKey } = server;
  if (status === 401 || status === 403) {
    const fix = apiKey === undefined ? `give "${name}" an "apiKey"` : `check the "apiKey" of "${name}"`;
    return [
      problem(
        `${title} refuses ${apiKey === undefined ? 'to answer without a key' : 'the key'} (${status})`,
        fix,
      ),
    ];
  }
  const listed = idsIn(text);
  if (status === 200 && listed !== undefined)
    return [ok(`${title} answers, with ${count(listed.length)}`), ...unlisted(server, listed)];
  if (/^\s*</.test(text) || status === 404 || (status >= 300 && status < 400)) {
    const what = /^\s*</.test(text) ? 'a web page' : `status ${status}`;
    return [problem(`${title} answers with ${what} in place of its models`, wrongPath(server))];
  }
  if (status === 200) return [warning(`${title} answers with what is no list of models`, wrongPath(server))];
  return [warning(`${title} answers with status ${status}`, 'look at its own log; try again later')];
}

function wrongPath({ name, baseUrl }: Server): string {
  const hint = /\/v\d+\w*$/.test(baseUrl) ? '' : ': with most servers it ends with /v1';
  return `correct the baseUrl of "${name}"${hint}`;
}

function unlisted(server: Server, listed: readonly string[]): Finding[] {
  // Some servers leave models out of their list that they answer for.
  return server.models
    .filter((id) => !listed.includes(id) && !listed.includes(`${id}:latest`))
    .map((id) => {
      const near = nearestFew(id, listed);
      const fix =
        near.length === 0 ? 'install it there, or correct its "id"' : `did you mean ${near.join(' or ')}?`;
      return warning(`${titleOf(server)} does not list ${id}`, fix);
    });
}

function gatewayFindings(server: Server, { status, text }: Answered): Finding[] {
  const title = titleOf(server);
  if (status === 401 || status === 403)
    return [
      problem(
        `${title} refuses the token (${status})`,
        'set openclaw.gateway.token to the token of its gateway.auth',
      ),
    ];
  if (status === 404 || /^\s*</.test(text))
    return [
      problem(
        `${title} has its HTTP API switched off`,
        'set gateway.http.endpoints.chatCompletions.enabled to true in openclaw.json, and restart the gateway',
      ),
    ];
  if (status === 429)
    return [warning(`${title} has locked callers out for now (429)`, 'check the token, and wait')];
  if (status === 200) return [ok(`${title} answers`)];
  return [warning(`${title} answers with status ${status}`, 'look at its own log')];
}

function count(models: number): string {
  return models === 1 ? '1 model' : `${models} models`;
}

/** Two clocks that far apart are seen by whoever checks a token or a certificate. */
function skew(server: Server, { date }: Answered, clock: Clock): Finding[] {
  const theirs = Date.parse(date ?? '');
  const apart = Math.abs(theirs - clock.wall());
  if (!(apart > CLOCK_SKEW_MS_MAX)) return [];
  return [
    warning(
      `this machine's clock and that of ${titleOf(server)} are ${Math.round(apart / 60_000)} minutes apart`,
      'set the clock, or switch on NTP',
    ),
  ];
}
