/** The control socket of a running daemon: also the lock that keeps a second one off the same state directory. */
import { statSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { CONTROL_MS, SOCKET_PATH_BYTES_MAX } from '../core/limits.ts';
import type { ModelView, PeerView, StatusView } from '../core/views.ts';
import type { Clock } from '../lib/clock.ts';
import { errnoText, isErrno } from '../lib/errno.ts';
import { QUESTIONS } from './answers.ts';
import { askDaemon } from './client.ts';
import { ControlFault } from './fault.ts';

export interface ControlHandlers {
  status(): StatusView;
  peers(): readonly PeerView[];
  models(): readonly ModelView[];
  /** Called once its answer is out. */
  stop(): void;
  /** Reads and checks the configuration; what is to happen then is `go`, called once the answer is out. */
  restart(): Promise<RestartPlan>;
}

export type RestartPlan =
  | { readonly kind: 'accepted'; readonly bootEpoch: number; readonly go: () => void }
  /** Every fault of the configuration, for a person. */
  | { readonly kind: 'faulty'; readonly text: string }
  | { readonly kind: 'stopping' };

export interface ControlOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly handlers: ControlHandlers;
}

export interface Control {
  /** Closes the socket and takes its file away; again, it does nothing. */
  close(): Promise<void>;
}

const posix = process.platform !== 'win32';
/** A daemon between its `bind` and its `listen` refuses connections: one that does so twice, this far apart, is dead. */
const SECOND_LOOK_MS = 100;

/** Throws a `ControlFault`: `already_running` with the pid of the daemon that is there. */
export async function startControl({ path, clock, handlers }: ControlOptions): Promise<Control> {
  if (posix && Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) throw tooLong(path);
  // Binding is what settles a race: of two who find the same stale file, the kernel lets one bind.
  for (let tries = 0; tries < 3; tries++) {
    const server = createServer((request, response) => answer(request, response, handlers));
    if (await bind(server, path)) return { close: () => close(server) };
    const found = posix ? fileAt(path) : undefined;
    await refuseIfAlive(path, clock);
    if (found !== undefined && fileAt(path) === found) remove(path);
  }
  throw new ControlFault('already_running', `another daemon keeps taking ${path}`);
}

function answer(request: IncomingMessage, response: ServerResponse, handlers: ControlHandlers): void {
  request.resume();
  const { method, url } = request;
  const asked = (what: keyof typeof QUESTIONS) =>
    QUESTIONS[what].method === method && QUESTIONS[what].path === url;
  try {
    if (asked('status')) reply(response, handlers.status());
    else if (asked('peers')) reply(response, handlers.peers());
    else if (asked('models')) reply(response, handlers.models());
    else if (asked('pid')) reply(response, { pid: process.pid });
    else if (asked('stop')) reply(response, { pid: process.pid }, () => handlers.stop());
    else if (asked('restart')) void restart(response, handlers);
    else refuse(response, 404);
  } catch {
    // A question must not end the daemon; the asker sees that it got no answer.
    refuse(response, 500);
  }
}

async function restart(response: ServerResponse, handlers: ControlHandlers): Promise<void> {
  const { pid } = process;
  try {
    const plan = await handlers.restart();
    if (plan.kind !== 'accepted') return reply(response, { ...plan, pid });
    const { kind, bootEpoch, go } = plan;
    reply(response, { kind, bootEpoch, pid }, go);
  } catch {
    refuse(response, 500);
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.statusCode = status;
  reply(response, {});
}

/** `sent` runs when the answer is out or its asker has gone. */
function reply(response: ServerResponse, value: unknown, sent?: () => void): void {
  const text = JSON.stringify(value);
  response.setHeader('content-type', 'application/json');
  response.setHeader('connection', 'close');
  if (sent !== undefined) response.once('close', sent);
  response.end(text);
}

/** False where something is bound to the path already. */
function bind(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.on('error', (error) => {
      if (isErrno(error, 'EADDRINUSE')) resolve(false);
      else
        reject(
          new ControlFault('unusable', `the control socket cannot be opened: ${error.message}`, {
            cause: error,
          }),
        );
    });
    server.once('listening', () => resolve(true));
    // Node binds within this call, so the socket is never there with a wider mode, whatever the umask was.
    const before = posix ? process.umask(0o177) : 0;
    try {
      server.listen(path);
    } finally {
      if (posix) process.umask(before);
    }
  });
}

async function refuseIfAlive(path: string, clock: Clock): Promise<void> {
  const first = await look(path, clock);
  if (first !== undefined) throw first;
  await new Promise<void>((resolve) => clock.after(SECOND_LOOK_MS, resolve));
  const second = await look(path, clock);
  if (second !== undefined) throw second;
}

/** What speaks against taking the path: undefined where nobody is there. */
async function look(path: string, clock: Clock): Promise<ControlFault | undefined> {
  try {
    const { pid } = await askDaemon('pid', { path, clock, ms: CONTROL_MS });
    return new ControlFault('already_running', `a daemon is running already on ${path}: pid ${pid}`, { pid });
  } catch (error) {
    if (!(error instanceof ControlFault)) throw error;
    if (error.kind === 'not_running') return undefined;
    if (error.kind === 'unusable') return error;
    return new ControlFault('already_running', `${path} is taken: ${error.message}`, { cause: error });
  }
}

/** Tells one socket file from the next at the same path: a new one may well get the inode of the one just removed. */
function fileAt(path: string): string | undefined {
  try {
    const { ino, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${ctimeNs}`;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** What a daemon that was killed has left. */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const text = `${path} is in the way of the control socket${errnoText(error)}: remove it`;
    throw new ControlFault('unusable', text, { cause: error });
  }
}

/** libuv takes the socket's file away as it closes. Answers are written in the turn of their question: none is owed. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function tooLong(path: string): ControlFault {
  return new ControlFault(
    'unusable',
    `${path} is ${Buffer.byteLength(path)} bytes, and a socket's path can have ${SOCKET_PATH_BYTES_MAX}: ` +
      'set CLAWMATRIX_HOME to a shorter one',
  );
}
