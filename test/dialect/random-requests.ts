/** Parts of requests that both dialects can say, made at random. */
import fc from 'fast-check';

export const text = fc.string({ minLength: 1, unit: 'grapheme', maxLength: 12 });
/** As it comes out of a body: JSON knows no -0. */
const json = fc
  .dictionary(fc.string({ maxLength: 5 }), fc.jsonValue(), { maxKeys: 3, noNullPrototype: true })
  .map((value): object => JSON.parse(JSON.stringify(value)));
const args = json.map((value) => JSON.stringify(value));
export const id = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme-ascii' });
export const detail = fc.constantFrom('auto', 'low', 'high');
export const url = fc.webUrl();
export const dataUrl = fc.base64String().map((data) => `data:application/pdf;base64,${data}`);

/** What both dialects call alike, and take alike. */
export const COMMON = {
  temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((n) => n + 0),
  top_p: fc.constantFrom(0.1, 1),
  parallel_tool_calls: fc.boolean(),
  user: text,
  safety_identifier: text,
  prompt_cache_key: text,
  prompt_cache_retention: fc.constantFrom('in_memory', '24h'),
  service_tier: fc.constantFrom('auto', 'flex', 'priority'),
};
export const limit = fc.integer({ min: 16, max: 1e6 });
export const effort = fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'unknown');
export const verbosity = fc.constantFrom('low', 'medium', 'high');
const named = fc.record(
  { name: text, description: text, parameters: json, strict: fc.boolean() },
  { requiredKeys: ['name', 'parameters', 'strict'], noNullPrototype: true },
);
export const schema = fc.record(
  { name: text, description: text, schema: json, strict: fc.boolean() },
  { requiredKeys: ['name', 'schema'], noNullPrototype: true },
);
export const plainChoice = fc.constantFrom('auto', 'none', 'required');
export const tools = fc.array(named, { minLength: 1, maxLength: 3 });

/** A call with its result. */
const called = fc.record({ id, name: text, input: args, result: text }, { noNullPrototype: true });
/** Ids are unique within a conversation. */
export const calls = fc.uniqueArray(called, { maxLength: 3, selector: (one) => one.id });

/** The one with any of the other's members. */
export function optional(
  required: Readonly<Record<string, fc.Arbitrary<unknown>>>,
  more: Readonly<Record<string, fc.Arbitrary<unknown>>>,
): fc.Arbitrary<object> {
  return fc
    .tuple(fc.record(required), fc.record(more, { requiredKeys: [] }))
    .map(([always, sometimes]) => ({ ...always, ...sometimes }));
}
