/** Asks the running daemon one thing over its control socket. */
import { type IncomingMessage, request } from 'node:http';
import { CONTROL_BYTES_MAX, CONTROL_MS } from '../core/limits.ts';
import type { Clock } from '../lib/clock.ts';
import { isErrno } from '../lib/errno.ts';
import { tolerantJson } from '../lib/json.ts';
import { readText } from '../lib/read-text.ts';
import { type Answers, QUESTIONS } from './answers.ts';
import { ControlFault } from './fault.ts';
import { pause } from './patience.ts';

export interface AskOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly ms?: number;
}

/** Throws a `ControlFault`; `not_running` where no daemon is. */
export async function askDaemon<What extends keyof Answers>(
  what: What,
  { path, clock, ms = CONTROL_MS }: AskOptions,
): Promise<Answers[What]> {
  const question: (typeof QUESTIONS)[What] = QUESTIONS[what];
  const text = await patiently({ path, clock, ms, method: question.method, url: question.path });
  const answer = question.answer.safeParse(tolerantJson(text));
  if (answer.success) return answer.data;
  throw new ControlFault(
    'garbled',
    `the daemon on ${path} answers in a form that this version does not know: stop it and start this version`,
    { cause: answer.error },
  );
}

/** A daemon that starts anew has no socket for less than this. */
const ANEW_MS = 100;

/** Who is cut off asks once more: the daemon may have stopped for good, or to start anew. */
async function patiently(asked: Exchange): Promise<string> {
  try {
    return await exchange(asked);
  } catch (error) {
    if (!(error instanceof ControlFault && wasCutOff(error.cause))) throw error;
    await pause(asked.clock, ANEW_MS, undefined);
    return exchange(asked);
  }
}

interface Exchange {
  readonly path: string;
  readonly clock: Clock;
  readonly ms: number;
  readonly method: string;
  readonly url: string;
}

function exchange({ path, clock, ms, method, url }: Exchange): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, method, path: url, agent: false });
    const cancel = clock.after(ms, () => asked.destroy(silent(path, ms)));
    const settle = (run: () => void) => {
      cancel();
      run();
    };
    const fail = (error: unknown) => settle(() => reject(faultOf(error, path)));
    asked.on('error', fail);
    asked.once('response', (response) => {
      collect(response, path).then(
        (text) => settle(() => resolve(text)),
        (error: unknown) => {
          asked.destroy();
          fail(error);
        },
      );
    });
    asked.end();
  });
}

async function collect(response: IncomingMessage, path: string): Promise<string> {
  const { text, isWhole } = await readText(response, CONTROL_BYTES_MAX);
  if (!isWhole) throw new ControlFault('garbled', `the answer on ${path} is over ${CONTROL_BYTES_MAX} bytes`);
  if (response.statusCode !== undefined && response.statusCode < 300) return text;
  throw new ControlFault('garbled', `the daemon on ${path} refused with status ${response.statusCode}`);
}

/** No socket there, or one that nobody listens on. */
const NOBODY = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ENOTSOCK'];

function faultOf(error: unknown, path: string): ControlFault {
  if (error instanceof ControlFault) return error;
  if (NOBODY.some((code) => isErrno(error, code)))
    return new ControlFault('not_running', `no daemon is running on ${path}`, { cause: error });
  if (isErrno(error, 'EACCES') || isErrno(error, 'EPERM'))
    return new ControlFault('unusable', `${path} belongs to another user: use your own CLAWMATRIX_HOME`, {
      cause: error,
    });
  if (wasCutOff(error))
    return new ControlFault('not_running', `the daemon on ${path} has just stopped`, { cause: error });
  return new ControlFault('garbled', `what is on ${path} does not answer as a daemon does`, { cause: error });
}

/** It went away between the question and its answer: what a daemon does that stops. */
function wasCutOff(error: unknown): boolean {
  return isErrno(error, 'ECONNRESET') || isErrno(error, 'EPIPE');
}

function silent(path: string, ms: number): ControlFault {
  return new ControlFault(
    'silent',
    `what holds ${path} gave no answer within ${ms} ms: it hangs, or is very busy`,
  );
}
