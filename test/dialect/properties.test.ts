/** What must hold whatever comes: any cut of the bytes, any line end, any order of fragments. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../src/core/call.ts';
import { translate } from '../../src/dialect/translate.ts';
import { checkResponsesStream } from '../support/responses-rules.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { aCall, countingTools, drained, ScriptedUpstream, cardOf } from './scripted.ts';

const folder = new URL('../../fixtures/dialect/', import.meta.url);

async function played(upstream: Dialect, request: string, chunks: Uint8Array[]): Promise<string> {
  const client = upstream === 'chat' ? 'responses' : 'chat';
  const answer = translate(
    new ScriptedUpstream({ chunks }).answer,
    client,
    cardOf(upstream),
    countingTools(),
  );
  const { text, error } = await drained(await answer(aCall(client, request), new AbortController().signal));
  expect(error).toBeUndefined();
  return text;
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const borders = [0, ...at.map((n) => n % bytes.length).sort((a, b) => a - b), bytes.length];
  return borders.slice(1).map((end, index) => bytes.subarray(borders[index], end));
}

const cases = (['chat', 'responses'] as const).flatMap((upstream) =>
  readdirSync(new URL(`${upstream}-upstream/`, folder))
    .filter((name) => name.endsWith('.upstream.sse'))
    .map((name): [Dialect, string] => [upstream, name.slice(0, -'.upstream.sse'.length)]),
);

test.each(cases)(
  '%s, %s: any cut of the bytes and any line end give the same events',
  async (upstream, name) => {
    const file = (kind: string) => readFileSync(new URL(`${upstream}-upstream/${name}.${kind}`, folder));
    const request = file('request.json').toString();
    const golden = file('client.sse').toString();
    const lines = file('upstream.sse').toString();
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), lineEnd, async (at, end) => {
        const bytes = Buffer.from(lines.replaceAll(/\r?\n/g, end));
        expect(await played(upstream, request, cut(bytes, at))).toBe(golden);
      }),
      { numRuns: 30 },
    );
  },
);

describe('a chat stream of any order', () => {
  interface Fragment {
    readonly kind: 'reasoning' | 'text' | 'refusal' | 'call';
    readonly text: string;
    readonly index: number;
  }
  const fragments = fc.array(
    fc.record<Fragment>({
      kind: fc.constantFrom('reasoning', 'text', 'refusal', 'call', 'call'),
      text: fc.string({ minLength: 1, unit: 'binary', maxLength: 6 }),
      index: fc.nat({ max: 3 }),
    }),
    { maxLength: 30 },
  );

  function delta({ kind, text, index }: Fragment): object {
    if (kind === 'text') return { content: text };
    if (kind === 'refusal') return { refusal: text };
    if (kind === 'reasoning') return { reasoning_content: text };
    const fn = { name: `f${index}`, arguments: JSON.stringify(text).slice(1, -1) };
    return { tool_calls: [{ index, id: `call_${index}`, type: 'function', function: fn }] };
  }

  test('keeps every rule of Responses, and every letter', async () => {
    await fc.assert(
      fc.asyncProperty(fragments, fc.constantFrom('stop', 'length'), async (list, finish) => {
        // Arguments have to be JSON in the end: each call begins and ends with a quote.
        const used = [...new Set(list.filter(({ kind }) => kind === 'call').map(({ index }) => index))];
        const quote = (index: number) => ({
          tool_calls: [{ index, id: `call_${index}`, function: { name: `f${index}`, arguments: '"' } }],
        });
        const deltas = [...used.map(quote), ...list.map(delta), ...used.map(quote)];
        const chunks = deltas.map((one) => ({ choices: [{ index: 0, delta: one, finish_reason: null }] }));
        const end = { choices: [{ index: 0, delta: {}, finish_reason: finish }] };
        const bytes = [...chunks, end].map((one) => Buffer.from(`data: ${JSON.stringify(one)}\n\n`));
        const events = responsesEvents(await played('chat', '{"model":"m","input":"Hi"}', bytes));
        checkResponsesStream(events);

        const told = (type: string) =>
          events
            .map((event) => Object(event))
            .filter((event) => event.type === type)
            .map((event) => event.delta)
            .join('');
        const sent = (kind: Fragment['kind']) =>
          list
            .filter((one) => one.kind === kind)
            .map((one) => one.text)
            .join('');
        expect(told('response.output_text.delta')).toBe(sent('text'));
        expect(told('response.refusal.delta')).toBe(sent('refusal'));
        expect(told('response.reasoning_summary_text.delta')).toBe(sent('reasoning'));
        const calls = Object(events.at(-1)).response.output.filter(
          (item: { type: string }) => item.type === 'function_call',
        );
        expect(calls.map((call: { arguments: string }) => JSON.parse(call.arguments))).toEqual(
          used.map((index) => inputOf(list, index)),
        );
      }),
      { numRuns: 150 },
    );
  });

  function inputOf(list: readonly Fragment[], index: number): string {
    const own = list.filter((one) => one.kind === 'call' && one.index === index);
    return own.map((one) => JSON.parse(JSON.stringify(one.text))).join('');
  }
});

describe('a Responses stream that says everything at least once', () => {
  /** Where an item is told, and how its events name it. */
  interface Telling {
    readonly kind: 'message' | 'call';
    readonly text: string;
    readonly deltas: 'all' | 'half' | 'none';
    readonly isBegun: boolean;
    readonly isDone: boolean;
  }
  const tellings = fc.array(
    fc.record<Telling>({
      kind: fc.constantFrom('message', 'call'),
      text: fc.string({ minLength: 1, unit: 'binary', maxLength: 8 }),
      deltas: fc.constantFrom('all', 'half', 'none'),
      isBegun: fc.boolean(),
      isDone: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const naming = fc.constantFrom('both', 'numbers', 'ids', 'changing ids');

  test('reaches a chat client whole, and once', async () => {
    await fc.assert(
      fc.asyncProperty(tellings, naming, fc.boolean(), async (list, names, isRepeated) => {
        let changes = 0;
        const id = (index: number) => {
          if (names === 'numbers') return undefined;
          return names === 'changing ids' ? `id_${changes++}` : `item_${index}`;
        };
        const number = (index: number) => (names === 'ids' ? undefined : index);
        const item = ({ kind }: Telling, index: number, text: string) => {
          if (kind === 'message')
            return { id: id(index), type: kind, content: [{ type: 'output_text', text }] };
          const call = { type: 'function_call', call_id: `call_${index}`, name: `f${index}` };
          return { ...call, id: id(index), arguments: text };
        };
        const input = ({ kind, text }: Telling) => (kind === 'call' ? JSON.stringify({ text }) : text);
        const told = list.flatMap((one, index) => {
          const whole = input(one);
          const isCall = one.kind === 'call';
          const streamed =
            one.deltas === 'all' ? whole.length : one.deltas === 'half' ? whole.length >> 1 : 0;
          const type = isCall ? 'response.function_call_arguments.delta' : 'response.output_text.delta';
          const at = { output_index: number(index) };
          return [
            // Nothing but its beginning or its end names a call.
            ...(one.isBegun || isCall
              ? [{ type: 'response.output_item.added', ...at, item: item(one, index, '') }]
              : []),
            ...(streamed > 0 ? [{ type, ...at, item_id: id(index), delta: whole.slice(0, streamed) }] : []),
            ...(one.isDone || (one.deltas !== 'all' && !isRepeated)
              ? [{ type: 'response.output_item.done', ...at, item: item(one, index, whole) }]
              : []),
          ];
        });
        const output = isRepeated ? list.map((one, index) => item(one, index, input(one))) : [];
        const events = [...told, { type: 'response.completed', response: { output } }];
        const bytes = events.map((one) => Buffer.from(`data: ${JSON.stringify(one)}\n\n`));
        const text = await played('responses', '{"model":"m","messages":[],"stream":true}', bytes);

        let said = '';
        const calls = new Map<number, string>();
        for (const line of text.split('\n\n').filter((one) => one.startsWith('data: {'))) {
          const { content = '', tool_calls = [] } = JSON.parse(line.slice('data: '.length)).choices[0].delta;
          said += content;
          for (const { index, function: fn } of tool_calls)
            calls.set(index, (calls.get(index) ?? '') + (fn.name ?? '') + fn.arguments);
        }
        const expected = (kind: Telling['kind']) =>
          list.map((one, index) => ({ one, index })).filter(({ one }) => one.kind === kind);
        expect(said).toHaveLength(expected('message').reduce((sum, { one }) => sum + one.text.length, 0));
        for (const { one } of expected('message')) expect(said).toContain(one.text);
        expect([...calls.values()].sort()).toEqual(
          expected('call')
            .map(({ one, index }) => `f${index}${input(one)}`)
            .sort(),
        );
      }),
      { numRuns: 300 },
    );
  });
});
