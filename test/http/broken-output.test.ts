/** A Responses stream that breaks tells once more the items that were done, as clients keep no other record of them. */
import { expect, test } from 'vitest';
import type { Answer, Dialect } from '../../src/core/call.ts';
import { ClawError } from '../../src/core/errors.ts';
import { SSE_EVENT_BYTES_MAX } from '../../src/core/limits.ts';
import { translate } from '../../src/dialect/translate.ts';
import { cardOf, countingTools, ScriptedUpstream } from '../dialect/scripted.ts';
import { responsesEvents } from '../support/openai-bodies.ts';
import { responsesEvents as read } from '../support/sse-text.ts';
import { ask } from './ask.ts';
import { startWith } from './start.ts';

const fault = new ClawError('upstream_timeout', 'silent');

/** The output of the last event. */
async function failedOutput(answer: Answer): Promise<readonly object[]> {
  await using on = await startWith(answer);
  const { text, whole } = await ask(`${on.url}/v1/responses`, {
    body: '{"model":"m","input":"x","stream":true}',
  });
  expect(whole).toBe(false);
  const last = Object(read(text).at(-1));
  expect(last).toMatchObject({ type: 'response.failed', response: { status: 'failed' } });
  return last.response.output;
}

function upstream(dialect: Dialect, chunks: readonly string[]): Answer {
  const script = new ScriptedUpstream({ headers: { 'content-type': 'text/event-stream' }, chunks, fault });
  return translate(script.answer, 'responses', cardOf(dialect), countingTools());
}

const reasoned = { text: ['Hel', 'lo'], reasoning: ['Hm'] };

test.each([
  ['one by one', (events: readonly string[]) => events],
  ['in one chunk', (events: readonly string[]) => [events.join('')]],
])('of an upstream of the same dialect, whose events come %s', async (_, chunked) => {
  const events = responsesEvents(reasoned).slice(0, -1);
  expect(await failedOutput(upstream('responses', chunked(events)))).toMatchObject([
    { type: 'reasoning' },
    { type: 'message', content: [{ text: 'Hello' }] },
  ]);
  expect(await failedOutput(upstream('responses', chunked(events.slice(0, -1))))).toMatchObject([
    { type: 'reasoning' },
  ]);
});

test('of an upstream of another dialect', async () => {
  const chunk = (delta: object) => `data: ${JSON.stringify({ choices: [{ index: 0, delta }] })}\n\n`;
  const chunks = [chunk({ reasoning_content: 'Hm' }), chunk({ content: 'Hel' })];
  expect(await failedOutput(upstream('chat', chunks))).toMatchObject([
    { type: 'reasoning', summary: [{ text: 'Hm' }] },
  ]);
});

test('but nothing where they are more than an event should hold', async () => {
  const events = responsesEvents({ text: ['x'.repeat(SSE_EVENT_BYTES_MAX)] }).slice(0, -1);
  expect(await failedOutput(upstream('responses', events))).toEqual([]);
});
