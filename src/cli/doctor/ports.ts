/** Whether the addresses that the configuration names can be listened on, or by whom they are held. */
import { ControlFault } from '../../control/fault.ts';
import type { StatusView } from '../../core/views.ts';
import type { Clock } from '../../lib/clock.ts';
import { urlHost } from '../../lib/host.ts';
import { reachable } from '../proxy.ts';
import { type Case, type Finding, ok, problem, warning } from './finding.ts';
import { probeHttp, probeListen } from './probe.ts';

interface Port {
  readonly name: 'proxy' | 'listen';
  readonly host: string;
  readonly port: number;
  /** The running daemon's own address for the same, if it has one. */
  readonly held: string | null;
  readonly restart: string;
}

export async function checkPorts({ world, looked, daemon, typed }: Case): Promise<Finding[]> {
  const { config } = looked;
  if (config === undefined) return [];
  const status = daemon instanceof ControlFault ? undefined : daemon;
  const restart = typed('restart');
  const ports: Port[] = [{ ...config.proxy, name: 'proxy', held: status?.proxy ?? null, restart }];
  if (config.listen !== undefined && config.listen !== null)
    ports.push({ ...config.listen, name: 'listen', held: status?.listen ?? null, restart });
  return Promise.all(ports.map((port) => checkPort(port, status, world.clock)));
}

async function checkPort(
  { name, host, port, held, restart }: Port,
  status: StatusView | undefined,
  clock: Clock,
): Promise<Finding> {
  const what = `${name === 'proxy' ? 'the proxy port' : 'the mesh port'} ${host}:${port}`;
  if (status !== undefined && held === null)
    return warning(`${what} is configured, and the daemon (pid ${status.pid}) does not listen`, restart);
  if (status !== undefined && held !== null) {
    if (port === 0) return ok(`${what}: any free one; this daemon (pid ${status.pid}) has ${held}`);
    if (new URL(held).port === String(port)) return ok(`${what} is held by this daemon (pid ${status.pid})`);
    return warning(`${what} is configured, and the daemon (pid ${status.pid}) is on ${held}`, restart);
  }
  if (port === 0) return ok(`${what}: any free one`);
  const code = await probeListen(host, port, clock);
  if (code === undefined) return ok(`${what} is free`);
  return cannotListen({ code, what, name, host, port }, clock);
}

interface Refused {
  readonly code: string;
  readonly what: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

async function cannotListen({ code, what, name, host, port }: Refused, clock: Clock): Promise<Finding> {
  if (code === 'EADDRINUSE') {
    const holder = await holderOf(host, port, clock);
    return problem(`${what} is taken by ${holder}`, `set ${name}.port to another one, or end that program`);
  }
  if (code === 'EACCES')
    return problem(`${what} may not be listened on by you (${code})`, `set ${name}.port to 1024 or more`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return problem(
      `${what}: ${host} is no address of this machine (${code})`,
      `set ${name}.host to 127.0.0.1 or 0.0.0.0`,
    );
  return problem(`${what} cannot be listened on (${code})`, `set ${name}.host and ${name}.port`);
}

async function holderOf(host: string, port: number, clock: Clock): Promise<string> {
  const url = reachable(`http://${urlHost(host)}:${port}`);
  const health = await probeHttp(`${url}/health`, {}, clock);
  const isOurs = health.kind === 'answered' && health.text.replaceAll(/\s/g, '') === '{"status":"ok"}';
  return isOurs ? 'another clawmatrix daemon, of another home' : 'another program';
}
