/** Headers that the configuration adds to requests: their names, and those that it may not touch. */
import { z } from 'zod';
import { readForm, secretForm } from './fields.ts';
import type { ReadSecret, SecretFound } from './secrets.ts';

/** Set by the daemon or by HTTP itself: a second opinion would send a key elsewhere or break the message's framing. */
const OWNED: readonly string[] = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
];

const name = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of an HTTP header')
  .refine((text) => text.toLowerCase() !== 'authorization', {
    error: 'write the key as "apiKey": the authorization header is made from it',
  })
  .refine((text) => text.toLowerCase() === 'authorization' || !OWNED.includes(text.toLowerCase()), {
    error: 'this header is set by the daemon and cannot be configured',
  });

/** Values under such a name are taken for secrets although they are written out: they are kept out of the log. */
const SECRET_NAME = /key|token|secret|auth|cookie|password|signature/i;

/** Why no configuration can add a header of that name. */
export function headerNameFault(text: string): string | undefined {
  return name.safeParse(text).error?.issues[0]?.message;
}

/** Why no HTTP header can carry the value. */
export function headerValueFault(value: string): string | undefined {
  return /^[\t\x20-\x7e]*$/.test(value)
    ? undefined
    : 'holds a line break or a letter that no HTTP header can carry';
}

export function namesSecret(header: string): boolean {
  return SECRET_NAME.test(header);
}

/** Some servers want their key in a header of their own, so each value may be a reference. Names come out lower-case. */
export function headersField(read: ReadSecret) {
  return z.record(name, secretForm).transform(async (written, context) => {
    const headers = new Map<string, string>();
    for (const [name, form] of Object.entries(written)) {
      const fault = (message: string) => context.addIssue({ code: 'custom', path: [name], message });
      const found = await headerValue(name, form, read);
      if (!found.ok) {
        fault(found.fault);
        continue;
      }
      const unfit = headerValueFault(found.value);
      if (unfit !== undefined) fault(unfit);
      else if (headers.has(name.toLowerCase())) fault('the same header twice: case does not count');
      else headers.set(name.toLowerCase(), found.value);
    }
    return Object.fromEntries(headers);
  });
}

async function headerValue(
  name: string,
  form: z.output<typeof secretForm>,
  read: ReadSecret,
): Promise<SecretFound> {
  if (typeof form === 'string' && !namesSecret(name)) return { ok: true, value: form };
  return readForm(form, read);
}
