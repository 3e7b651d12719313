/** An upstream's refusal (a `Reply` of 400 and above) as an error: for where a status can no longer be sent. */
import { z } from 'zod';
import { tolerantJson } from '../lib/json.ts';
import { readText } from '../lib/read-text.ts';
import type { Reply } from './call.ts';
import { ClawError } from './errors.ts';
import { ERROR_BODY_BYTES_MAX } from './limits.ts';

const text = z.string().nullish().catch(undefined);
const Refusal = z.object({ error: z.object({ message: text, type: text, param: text, code: text }) });

/** Reads the small body, and leaves it. Never rejects: a refusal without readable words keeps its status. */
export async function errorOfRefusal(reply: Reply): Promise<ClawError> {
  const { status, headers } = reply;
  const said = Refusal.safeParse(tolerantJson(await bodyText(reply)));
  const { message, type, param, code } = said.success ? said.data.error : {};
  const seconds = Number(headers['retry-after']);
  return new ClawError('upstream_error', message ?? `the upstream answered ${status}`, {
    status,
    upstream: { code: code ?? undefined, type: type ?? undefined },
    headers,
    ...(typeof param === 'string' ? { param } : {}),
    ...(Number.isFinite(seconds) && seconds >= 0 ? { retryAfterSeconds: seconds } : {}),
  });
}

async function bodyText({ body }: Reply): Promise<string> {
  try {
    return (await readText(body, ERROR_BODY_BYTES_MAX)).text;
  } catch {
    // What it refused with was cut off: the status alone is worth telling.
    return '';
  }
}
