/** One case of the matrix, as its file says it: what a client asks, what its upstream says, what the client must see. */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';

export type Dialect = 'chat' | 'responses';

const Json = z.record(z.string(), z.unknown());
const Headers = z.record(z.string(), z.string());
const Events = z.array(z.union([Json, z.string()]));

/** What the upstream plays: one of the four forms of a body. */
const Reply = z.strictObject({
  status: z.int().default(200),
  headers: Headers.default({}),
  events: Events.optional(),
  json: z.unknown().optional(),
  text: z.string().optional(),
  base64: z.string().optional(),
  /** Bytes a write. */
  split: z.int().positive().optional(),
  /** What begins with `from`, or the end alone, goes out only when the client has got `seen`. */
  late: z.strictObject({ from: z.string().optional(), seen: z.string() }).optional(),
  /** Cut: the connection breaks behind the last byte. */
  end: z.enum(['clean', 'cut']).default('clean'),
});
export type Reply = z.infer<typeof Reply>;

const Upstream = z.union([
  /** It must not be asked at all. */
  z.literal('nothing'),
  z.strictObject({
    /** Members that its request must have; lists must be as long as these. */
    body: Json.default({}),
    /** Members that it must not have, with dots between the steps. */
    absent: z.array(z.string()).default([]),
    /** Null: this header must not be there. */
    headers: z.record(z.string(), z.string().nullable()).default({}),
  }),
]);

const Expect = z.strictObject({
  status: z.int().default(200),
  /** Null: this header must not be there. */
  headers: z.record(z.string(), z.string().nullable()).default({}),
  events: Events.optional(),
  json: z.unknown().optional(),
  /** Members that the error of a refusal must have. */
  error: Json.optional(),
  /** The very bytes of the upstream. */
  same: z.literal(true).optional(),
  /** Any: where an error was told inside of the stream, its connection may end either way. */
  end: z.enum(['clean', 'cut', 'any']).default('clean'),
});

const Step = z.strictObject({
  method: z.enum(['POST', 'GET', 'DELETE']).default('POST'),
  /** Behind `/v1`, in place of the dialect's own. */
  path: z.string().optional(),
  headers: Headers.default({}),
  /** Without `model` and `stream`, which the runner sets. */
  request: Json.default({}),
  expectUpstream: Upstream.default({ body: {}, absent: [], headers: {} }),
  reply: Reply.default({ status: 200, headers: {}, end: 'clean' }),
  expect: Expect,
});
export type Step = z.infer<typeof Step>;

const CallSaid = z.strictObject({ name: z.string(), arguments: z.unknown(), id: z.string().optional() });

/** What a user of any client library must get. */
const Says = z.strictObject({
  text: z.string().default(''),
  reasoning: z.string().default(''),
  refusal: z.string().default(''),
  calls: z.array(CallSaid).default([]),
  finish: z.enum(['stop', 'calls', 'length', 'filter']).optional(),
  usage: z.strictObject({ input: z.int(), output: z.int() }).optional(),
  /** Words of the error that the library must throw or hand over. */
  error: z.string().optional(),
});
export type Says = z.infer<typeof Says>;

const CaseFile = Step.extend({
  /** A row of the page: `tools: parallel calls, interleaved`. */
  feature: z.string().regex(/^[a-z ]+: \S/),
  /** Why it must be so. */
  about: z.string().min(20),
  stream: z.boolean(),
  /** Calls made before this one, whose names for generated values it may use. */
  before: z.array(Step.extend({ stream: z.boolean().default(false) })).default([]),
  /** Keys of the owner's model. */
  model: Json.default({}),
  says: Says.optional(),
});

export interface Case extends z.infer<typeof CaseFile> {
  /** `chat-responses/refusal`. */
  readonly name: string;
  readonly client: Dialect;
  readonly upstream: Dialect;
}

const folder = new URL('../fixtures/conformance/', import.meta.url);
const COMBINATIONS: readonly (readonly [Dialect, Dialect])[] = [
  ['chat', 'chat'],
  ['chat', 'responses'],
  ['responses', 'chat'],
  ['responses', 'responses'],
];

/** All cases, in the order of their names. Throws where a file is not as the format says. */
export function readCases(): readonly Case[] {
  return COMBINATIONS.flatMap(([client, upstream]) => {
    const files = readdirSync(new URL(`${client}-${upstream}/`, folder)).filter((file) =>
      file.endsWith('.json'),
    );
    return files.sort().map((file) => readCase(`${client}-${upstream}/${file}`, client, upstream));
  });
}

function readCase(file: string, client: Dialect, upstream: Dialect): Case {
  const read = CaseFile.safeParse(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
  if (!read.success) throw new Error(`fixtures/conformance/${file}: ${z.prettifyError(read.error)}`);
  return { ...read.data, name: file.slice(0, -'.json'.length), client, upstream };
}
