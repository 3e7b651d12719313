/** `chat`: one question to a model, through the proxy of the running daemon, and its answer as it comes. */
import { look } from '../config/look.ts';
import { homeOf, type Wishes } from '../config/paths.ts';
import { askDaemon } from '../control/client.ts';
import { ROUTE_HEADER } from '../core/header-names.ts';
import { ERROR_BODY_BYTES_MAX, JSON_REPLY_BYTES_MAX, REQUEST_BODY_BYTES_MAX } from '../core/limits.ts';
import { isErrno } from '../lib/errno.ts';
import { readText } from '../lib/read-text.ts';
import { onAbort } from '../lib/signals.ts';
import { errorIn, saidIn, saidInStream } from './answer.ts';
import { EXIT, NotWhole, UsageFault } from './exit.ts';
import { askProxy, type ProxyReply } from './proxy.ts';
import { jsonText, plainText } from './table.ts';
import { Transcript } from './transcript.ts';
import { untilSignal, type World } from './world.ts';

export interface ChatOptions extends Wishes {
  readonly model: string;
  /** Left out or `-`: standard input alone. */
  readonly prompt?: string;
  readonly system?: string;
  /** The whole reply as JSON. */
  readonly json: boolean;
  readonly stream: boolean;
  /** Says where the answer came from, also where standard error is no terminal. */
  readonly route: boolean;
}

/** Returns the exit code. */
export function chat(world: World, options: ChatOptions): Promise<number> {
  return untilSignal(world, async (signal) => {
    const messages = await messagesOf(world, options, signal);
    const { proxy } = await askDaemon('status', { path: homeOf(options).control, clock: world.clock });
    const stream = options.stream && !options.json;
    const reply = await askProxy({
      proxy,
      path: '/v1/chat/completions',
      key: await keyOf(options),
      body: JSON.stringify({ model: options.model, messages, stream }),
      signal,
      clock: world.clock,
    });
    tellRoute(world, reply, options);
    if (reply.status !== 200) throw await refusal(reply);
    if (options.json) world.out.write(jsonText(JSON.parse(await whole(reply, JSON_REPLY_BYTES_MAX))));
    else if (stream) await writeStream(world, reply);
    else await writeWhole(world, reply);
    return EXIT.ok;
  });
}

interface Message {
  readonly role: 'system' | 'user';
  readonly content: string;
}

async function messagesOf(world: World, options: ChatOptions, signal: AbortSignal): Promise<Message[]> {
  const { system } = options;
  const content = await promptOf(world, options, signal);
  const user: Message = { role: 'user', content };
  return system === undefined ? [user] : [{ role: 'system', content: system }, user];
}

/** The prompt, and below it what is piped in: `git diff | clawmatrix chat MODEL 'Review this:'`. */
async function promptOf(world: World, { prompt }: ChatOptions, signal: AbortSignal): Promise<string> {
  const written = prompt === '-' ? undefined : prompt;
  if (written !== undefined && world.inputIsTerminal) return written;
  const piped = await inputOf(world, signal);
  if (Buffer.byteLength(piped) > REQUEST_BODY_BYTES_MAX)
    throw new UsageFault(
      `standard input is over ${REQUEST_BODY_BYTES_MAX} bytes, the most that a request holds`,
    );
  const parts = [written ?? '', piped.trimEnd()].filter((part) => part.trim() !== '');
  if (parts.length === 0) throw new UsageFault('there is no prompt: give one, or pipe a text in');
  return parts.join('\n\n');
}

async function inputOf(world: World, signal: AbortSignal): Promise<string> {
  const { clock, err } = world;
  if (world.inputIsTerminal) {
    err.write('clawmatrix: type the prompt, and end it with Ctrl-D on a line of its own\n');
    return world.readInput(REQUEST_BODY_BYTES_MAX);
  }
  const cancel = clock.after(WONDER_MS, () =>
    err.write('clawmatrix: waiting for standard input to end; </dev/null goes without it\n'),
  );
  const unlink = onAbort(signal, cancel);
  return world.readInput(REQUEST_BODY_BYTES_MAX).finally(() => {
    cancel();
    unlink();
  });
}

/** A person or a script that sees nothing happen for so long wants to know what is waited for. */
const WONDER_MS = 2_000;

/** A proxy without keys takes any; one whose configuration cannot be read says itself that it wants one. */
async function keyOf(wishes: Wishes): Promise<string | undefined> {
  const { config } = await look(wishes);
  return config?.proxy.apiKeys[0];
}

function tellRoute(world: World, reply: ProxyReply, { route }: ChatOptions): void {
  const way = reply.header(ROUTE_HEADER);
  if (way === undefined || (!route && world.err.columns === undefined)) return;
  world.err.write(`${plainText(way)}\n`);
}

async function writeStream(world: World, reply: ProxyReply): Promise<void> {
  const transcript = new Transcript(world);
  let isWhole = false;
  try {
    for await (const said of saidInStream(reply.body)) {
      if (said.kind === 'error') throw new Error(said.message);
      if (said.kind === 'done') isWhole = true;
      transcript.say(said);
      await world.out.ready();
    }
    if (!isWhole) throw new Error('the connection ended');
  } catch (error) {
    transcript.end();
    throw new NotWhole(`the answer is not whole: ${oneLine(messageOf(error))}`, { cause: error });
  }
  transcript.end();
}

async function writeWhole(world: World, reply: ProxyReply): Promise<void> {
  const said = saidIn(await whole(reply, JSON_REPLY_BYTES_MAX));
  if (said === undefined || said.length === 0) throw new Error('the reply is no chat completion');
  const transcript = new Transcript(world);
  for (const one of said) transcript.say(one);
  transcript.end();
}

async function refusal(reply: ProxyReply): Promise<Error> {
  const message = errorIn(await whole(reply, ERROR_BODY_BYTES_MAX), reply.status);
  const wait = reply.header('retry-after');
  return new Error(oneLine(message) + (wait === undefined ? '' : ` (try again in ${plainText(wait)} s)`));
}

async function whole({ body }: ProxyReply, bytesMax: number): Promise<string> {
  const { text, isWhole } = await readText(body, bytesMax);
  if (!isWhole) throw new Error(`the reply is over ${bytesMax} bytes`);
  return text;
}

function messageOf(error: unknown): string {
  if (isErrno(error, 'ECONNRESET')) return 'the connection was cut';
  return error instanceof Error ? error.message : String(error);
}

function oneLine(text: string): string {
  return plainText(text.replaceAll(/\s+/g, ' ').trim());
}
