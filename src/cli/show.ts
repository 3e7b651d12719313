/** `status`, `peers`, `models`: what a running daemon says of itself, for a person or as JSON. */
import { type AskOptions, askDaemon } from '../control/client.ts';
import { shortId } from '../core/ids.ts';
import type { ModelView, PeerView, StatusView } from '../core/views.ts';
import { type Colour, painter } from './colour.ts';
import { duration, rttText } from './figures.ts';
import { apiRoot } from './proxy.ts';
import { type Column, jsonText, plainText, table } from './table.ts';
import type { World } from './world.ts';

/** One thing that the daemon says of itself. */
export interface Listing<View> {
  ask(options: AskOptions): Promise<View>;
  text(view: View, world: World): string;
  json(view: View): unknown;
  /** Without what changes at every look: times and durations. */
  gist(view: View): unknown;
}

/** Without a terminal to ask: what every table must fit. */
const WIDTH = 80;

export const statusListing: Listing<StatusView> = {
  ask: (options) => askDaemon('status', options),
  text: statusText,
  json: (status) => status,
  gist: ({ uptimeSeconds: _, ...status }) => status,
};

export const peersListing: Listing<readonly PeerView[]> = {
  ask: (options) => askDaemon('peers', options),
  text: (peers, world) =>
    peers.length === 0
      ? 'No peers: none is configured, and none has come by.\n'
      : table(peers, peerColumns(world), world.out.columns ?? WIDTH) + reasonsText(peers),
  json: (peers) => peers,
  gist: (peers) => peers.map(({ rttMs: _, ...peer }) => peer),
};

export const modelsListing: Listing<readonly ModelView[]> = {
  ask: (options) => askDaemon('models', options),
  text: (models, world) =>
    models.length === 0
      ? 'No models: this node has none now, and no peer has told of any.\n'
      : table(models, modelColumns(world), world.out.columns ?? WIDTH),
  json: (models) => models.map(modelRow),
  gist: (models) => models.map(modelRow),
};

export interface ShowOptions {
  /** The control socket. */
  readonly path: string;
  readonly json: boolean;
}

export async function show<View>(
  world: World,
  listing: Listing<View>,
  { path, json }: ShowOptions,
): Promise<void> {
  const view = await listing.ask({ path, clock: world.clock });
  world.out.write(json ? jsonText(listing.json(view)) : listing.text(view, world));
}

/** The card is the daemon's own business; what it says that people ask for is beside it. */
function modelRow({ id, node, nodeId, provider, api, reachable, contextWindow, local }: ModelView) {
  return { id, node, nodeId, provider, api, reachable, contextWindow, local };
}

function statusText(status: StatusView): string {
  const { peers, models, calls } = status;
  const lines: [string, string][] = [
    ['node', `${status.name} (${status.id})`],
    ['version', status.version],
    ['process', `${status.pid}, up ${duration(status.uptimeSeconds)}`],
    ['proxy', apiRoot(status.proxy)],
    ['mesh', status.listen ?? 'dials only, does not listen'],
    ['peers', `${peers.direct} connected, ${peers.down} down`],
    ['models', `${models.local} here, ${models.remote} on other nodes`],
    ['calls', `${calls.entry} from clients here, ${calls.owner} for other nodes`],
    ...status.warnings.map((text): [string, string] => ['warning', text]),
  ];
  return lines.map(([name, text]) => `${name.padEnd(9)}${plainText(text)}\n`).join('');
}

const STATUS_COLOUR: Readonly<Record<PeerView['status'], Colour>> = {
  direct: 'green',
  relay: 'yellow',
  down: 'red',
};

function peerColumns({ out, env }: World): Column<PeerView>[] {
  const paint = painter(out, env);
  return [
    { title: 'NAME', cell: ({ name, url }) => name ?? url ?? '-' },
    { title: 'ID', cell: ({ id }) => (id === null ? '-' : shortId(id)) },
    {
      title: 'STATUS',
      cell: ({ status }) => status,
      paint: (text, { status }) => paint(STATUS_COLOUR[status], text),
    },
    { title: 'RTT', align: 'right', cell: ({ rttMs }) => (rttMs === null ? '-' : rttText(rttMs)) },
    { title: 'MODELS', align: 'right', cell: ({ models }) => String(models.length) },
    { title: 'VERSION', cell: ({ version }) => version ?? '-' },
    { title: 'PATH', cell: ({ path }) => (path.length > 0 ? path.join(' > ') : '-') },
  ];
}

/** Under the table, in full: the one thing that a person with a peer that is down came to read. */
function reasonsText(peers: readonly PeerView[]): string {
  const told = peers.flatMap(({ name, url, status, reason }) =>
    reason === null
      ? []
      : [`${plainText(`${name ?? url ?? '-'}${status === 'down' ? ' is down' : ''}: ${reason}`)}\n`],
  );
  return told.length === 0 ? '' : `\n${told.join('')}`;
}

function modelColumns({ out, env }: World): Column<ModelView>[] {
  const paint = painter(out, env);
  return [
    { title: 'MODEL', cell: ({ id }) => id },
    { title: 'NODE', cell: ({ node, local }) => (local ? `${node} (here)` : node) },
    { title: 'PROVIDER', cell: ({ provider }) => provider },
    { title: 'API', cell: ({ api }) => api.replace(/^openai-/, '') },
    {
      title: 'CONTEXT',
      align: 'right',
      cell: ({ contextWindow }) => (contextWindow === null ? '-' : String(contextWindow)),
    },
    {
      title: 'STATE',
      cell: ({ reachable }) => (reachable ? 'up' : 'down'),
      paint: (text, { reachable }) => paint(reachable ? 'green' : 'red', text),
    },
  ];
}
