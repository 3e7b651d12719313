/** A judge: a client library that people use, which reads the very bytes that a case's client got and says what it heard. */
import type { Case, Dialect, Says } from './case.ts';

/** What was answered, as bytes: judges get it from a `fetch` of their own. */
export interface Recording {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The end of the body came; else the connection was cut. */
  readonly whole: boolean;
}

export interface Heard {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string; readonly id: string }[];
  readonly finish: string | undefined;
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  readonly error: string | undefined;
}

export const NOTHING: Heard = {
  text: '',
  reasoning: '',
  refusal: '',
  calls: [],
  finish: undefined,
  usage: undefined,
  error: undefined,
};

export interface Judge {
  /** `openai 6, stream helper`. */
  readonly name: string;
  readonly dialect: Dialect;
  readonly stream: boolean;
  /** Never rejects: what the library throws is what it says. */
  hear(recording: Recording): Promise<Heard>;
}

/** What a library does not tell, or tells in its own way: no fault of the answer. */
export interface Limit {
  /** The names of the judges. */
  readonly judge: RegExp;
  readonly of: readonly (keyof Says | 'all')[];
  readonly why: string;
  /** Left out: always. */
  readonly when?: (one: Case) => boolean;
}

/** A body in pieces of 37 bytes, so that characters and line ends are split. */
export function replayed({ status, headers, text, whole }: Recording): Response {
  const bytes = Buffer.from(text);
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += 37)));
      else if (whole) controller.close();
      else controller.error(new TypeError('terminated'));
    },
  });
  return new Response(body, { status, headers });
}

/** Where what a library heard is not what the case says. */
export function judged(one: Case, heard: Heard, deaf: ReadonlySet<Limit['of'][number]>): readonly string[] {
  const says = one.says;
  if (says === undefined || deaf.has('all')) return [];
  const faults: string[] = [];
  const compare = (of: keyof Says, actual: unknown, expected: unknown) => {
    if (deaf.has(of) || JSON.stringify(actual) === JSON.stringify(expected)) return;
    faults.push(`${of}: heard ${JSON.stringify(actual)} in place of ${JSON.stringify(expected)}`);
  };
  if (says.error !== undefined) {
    if (!deaf.has('error') && heard.error?.includes(says.error) !== true)
      faults.push(`error: heard ${JSON.stringify(heard.error)} in place of ${JSON.stringify(says.error)}`);
    return faults;
  }
  compare('error', heard.error, undefined);
  compare('text', heard.text, says.text);
  compare('reasoning', heard.reasoning, says.reasoning);
  compare('refusal', heard.refusal, says.refusal);
  const calls = says.calls.map(({ name, id, ...call }, index) => {
    const input = typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments);
    return { name, arguments: input, id: id ?? heard.calls[index]?.id };
  });
  compare(
    'calls',
    heard.calls.map(({ name, arguments: input, id }) => ({ name, arguments: input, id })),
    calls,
  );
  if (says.finish !== undefined) compare('finish', heard.finish, says.finish);
  if (says.usage !== undefined) compare('usage', heard.usage, says.usage);
  return faults;
}
