/** Headers that the configuration adds to requests: their names, and those that it may not touch. */
import { z } from 'zod';
import { isOwned, namesSecret } from '../core/header-names.ts';
import { readForm, secretForm } from './fields.ts';
import type { ReadSecret, SecretFound } from './secrets.ts';

const name = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of an HTTP header')
  .refine((text) => text.toLowerCase() !== 'authorization', {
    error: 'write the key as "apiKey": the authorization header is made from it',
  })
  .refine((text) => text.toLowerCase() === 'authorization' || !isOwned(text), {
    error: 'this header is set by the daemon and cannot be configured',
  });

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
