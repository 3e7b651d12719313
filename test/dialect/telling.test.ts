/** `[Model: …]` before what a call tells its model, in each dialect. */
import { describe, expect, test } from 'vitest';
import type { Answer, Call, Dialect } from '../../src/core/call.ts';
import { heldBody } from '../../src/dialect/held-body.ts';
import { telling } from '../../src/dialect/telling.ts';
import { makeCall } from '../support/exchange-node.ts';

const NOTE = '[Model: quick]';
const user = { role: 'user', content: 'hi' };

/** What an owner is asked. */
async function told(from: Dialect, body: string, more: Partial<Call> = {}, note: string | undefined = NOTE) {
  const asked: Call[] = [];
  const owner: Answer = async (call) => {
    asked.push(call);
    return { status: 200, headers: {}, ...heldBody(new Uint8Array(0), { finish: 'stop' }) };
  };
  const { call } = makeCall({ dialect: from, body: Buffer.from(body), ...more });
  await telling(owner, from, note)(call, new AbortController().signal);
  return Buffer.from(asked[0]?.body ?? []).toString();
}

describe.each<[Dialect, readonly (readonly [string, object, object])[]]>([
  [
    'chat',
    [
      ['no system message', { messages: [user] }, { messages: [{ role: 'system', content: NOTE }, user] }],
      [
        'a system message',
        { messages: [{ role: 'system', content: 'Be kind.', name: 'n' }, user] },
        { messages: [{ role: 'system', content: `${NOTE}\n\nBe kind.`, name: 'n' }, user] },
      ],
      [
        "a developer's message behind others",
        { messages: [user, { role: 'developer', content: 'a' }, { role: 'system', content: 'b' }] },
        {
          messages: [user, { role: 'developer', content: `${NOTE}\n\na` }, { role: 'system', content: 'b' }],
        },
      ],
      [
        'a system message in parts',
        { messages: [{ role: 'system', content: [{ type: 'text', text: 'a' }] }] },
        {
          messages: [
            {
              role: 'system',
              content: [
                { type: 'text', text: NOTE },
                { type: 'text', text: 'a' },
              ],
            },
          ],
        },
      ],
      [
        'an empty system message',
        { messages: [{ role: 'system' }] },
        { messages: [{ role: 'system', content: NOTE }] },
      ],
      ['no message', { messages: [] }, { messages: [{ role: 'system', content: NOTE }] }],
      ['what is no list', { messages: 'x' }, { messages: 'x' }],
    ],
  ],
  [
    'responses',
    [
      ['no instructions', { input: 'hi' }, { input: 'hi', instructions: NOTE }],
      ['null', { instructions: null, input: 'hi' }, { instructions: NOTE, input: 'hi' }],
      ['instructions', { instructions: 'Be kind.' }, { instructions: `${NOTE}\n\nBe kind.` }],
      ['what is no text', { instructions: [1] }, { instructions: [1] }],
    ],
  ],
])('%s', (dialect, rows) => {
  test.each(rows)('with %s', async (_, body, sent) => {
    expect(JSON.parse(await told(dialect, JSON.stringify(body)))).toEqual(sent);
  });

  test('keeps the spelling of all else', async () => {
    const rest = '"seed": 9007199254740993,"z":1.0e+2';
    expect(await told(dialect, `{${rest},"messages":[],"instructions":""}`)).toContain(rest);
  });

  test('is told nothing in what is asked beside an answer', async () => {
    const body = JSON.stringify({ messages: [], input: [] });
    expect(await told(dialect, body, { operation: { kind: 'compact' } })).toBe(body);
  });
});

test('an answer whose model is told nothing is the very same', () => {
  const answer: Answer = () => Promise.reject(new Error('not asked'));
  expect(telling(answer, 'chat', undefined)).toBe(answer);
});
