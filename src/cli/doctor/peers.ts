/** Whether the nodes that the configuration names are there. */
import { askDaemon } from '../../control/client.ts';
import { ControlFault } from '../../control/fault.ts';
import type { PeerView } from '../../core/views.ts';
import type { Clock } from '../../lib/clock.ts';
import { bareHost } from '../../lib/host.ts';
import { rttText } from '../figures.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';
import { DID_NOT_ANSWER, probeTcp, TIMEOUT } from './probe.ts';

export async function checkPeers(one: Case): Promise<Finding[]> {
  const { world, looked, daemon } = one;
  if (!(daemon instanceof ControlFault)) return ofDaemon(one);
  const peers = looked.config?.peers ?? [];
  return judged(await Promise.all(peers.map(({ url }) => dialled(url, world.clock))));
}

async function ofDaemon({ world, looked }: Case): Promise<Finding[]> {
  try {
    const peers = await askDaemon('peers', { path: looked.home.control, clock: world.clock });
    return judged(peers.map(ofPeer));
  } catch (error) {
    if (!(error instanceof ControlFault)) throw error;
    return [problem(error.message, 'try again: the daemon answered a moment ago')];
  }
}

/** One way into the mesh is enough: a node that is switched off is a problem only where no other is there. */
function judged(peers: readonly Finding[]): Finding[] {
  const isIn = peers.some(({ level }) => level === 'ok');
  return peers.map((finding) =>
    finding.level === 'ok' || isIn ? finding : { ...finding, level: 'problem' },
  );
}

function ofPeer({ name, url, status, rttMs, reason }: PeerView): Finding {
  const title = `peer ${name ?? url ?? '?'}`;
  if (status !== 'down') return ok(`${title} is connected${rttMs === null ? '' : ` (${rttText(rttMs)})`}`);
  return warning(`${title} is down${reason === null ? '' : `: ${reason}`}`, MEND);
}

const MEND =
  'start clawmatrix there, and see that both have the same network key (clawmatrix init --key-file)';

async function dialled(written: string, clock: Clock): Promise<Finding> {
  const url = new URL(written);
  const port = Number(url.port) || (url.protocol === 'wss:' ? 443 : 80);
  const code = await probeTcp(bareHost(url.hostname), port, clock);
  if (code === undefined) return ok(`peer ${url.host} takes connections`);
  if (code === 'ENOTFOUND')
    return warning(`peer ${url.host} has a name that is not known`, 'correct its "url" in "peers"');
  const why =
    code === TIMEOUT
      ? DID_NOT_ANSWER
      : code === 'ECONNREFUSED'
        ? 'refuses connections'
        : `cannot be reached (${code})`;
  return warning(
    `peer ${url.host} ${why}`,
    'start clawmatrix there with "listen", and let its port through the firewall',
  );
}
