/** What the upstream of a case sends, and how it writes it. */
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Dialect, Reply } from './case.ts';
import type { Placeholders } from './placeholders.ts';
import { UPSTREAM, wholeEvents } from './short-forms.ts';
import { sseText } from './sse.ts';

export interface ScriptedReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly split: number;
  /** Where a part begins that waits. */
  readonly lateFrom: number;
  readonly end: Reply['end'];
}

export function scriptedReply(reply: Reply, dialect: Dialect, names: Placeholders): ScriptedReply {
  const { status, end, late } = reply;
  const bytes = bytesOf(reply, dialect, names);
  const isWhole = reply.events === undefined && reply.text === undefined;
  const type = isWhole ? 'application/json' : 'text/event-stream';
  return {
    status,
    end,
    bytes,
    headers: { 'content-type': type, ...reply.headers },
    split: reply.split ?? bytes.length,
    lateFrom: late?.from === undefined ? bytes.length : bytes.indexOf(late.from),
  };
}

function bytesOf(reply: Reply, dialect: Dialect, names: Placeholders): Buffer {
  const { events, json, text, base64 } = reply;
  if (events !== undefined) {
    const whole = wholeEvents(events, dialect, UPSTREAM);
    return Buffer.from(String(names.filled(sseText(whole, dialect))));
  }
  if (text !== undefined) return Buffer.from(String(names.filled(text)));
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(names.filled(json)));
}

/** A split reply goes out piece by piece, each in a packet of its own. `seen` says when the part that waits may go. */
export async function play(
  reply: ScriptedReply,
  response: ServerResponse,
  seen: Promise<void>,
): Promise<void> {
  const { status, headers, bytes, split, lateFrom, end } = reply;
  response.socket?.setNoDelay(true);
  // Head and first bytes in one packet, as servers send them that have both.
  response.writeHead(status, headers);
  await writeAll(response, bytes.subarray(0, lateFrom), split);
  await seen;
  await writeAll(response, bytes.subarray(lateFrom), split);
  if (end === 'cut') response.destroy();
  else response.end();
}

async function writeAll(response: ServerResponse, bytes: Buffer, split: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += split) {
    await written(response, bytes.subarray(at, at + split));
    if (split < bytes.length) await setImmediate();
  }
}

/** Resolves too where the caller has left. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.write(bytes, () => resolve());
  });
}
