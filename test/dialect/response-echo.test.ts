/** What a translated Response object repeats of its request, and what the log is told of a translation's losses. */
import { describe, expect, test } from 'vitest';
import { newCallId } from '../../src/core/ids.ts';
import { NOTES_PER_CALL_MAX } from '../../src/core/limits.ts';
import { toolsOf } from '../../src/dialect/call-tools.ts';
import { translate } from '../../src/dialect/translate.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { aCall, cardOf, countingTools, drained, ScriptedUpstream } from './scripted.ts';

const CHUNKS = {
  whole: '{"choices":[{"message":{"content":"a"}}]}',
  stream: 'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n',
};

/** Each Response object that the client is told. */
async function responses(
  body: object,
  continues: string | undefined,
  isStream: boolean,
  tools = countingTools(),
): Promise<object[]> {
  const { answer } = new ScriptedUpstream({ chunks: [isStream ? CHUNKS.stream : CHUNKS.whole] });
  const call = aCall('responses', { model: 'm', input: 'Hi', ...body }, isStream);
  const asked = continues === undefined ? call : { ...call, continues };
  const translated = translate(answer, 'responses', cardOf('chat'), tools);
  const { text } = await drained(await translated(asked, new AbortController().signal));
  if (!isStream) return [JSON.parse(text)];
  return responsesEvents(text).flatMap((event) => Object(event).response ?? []);
}

describe.each([true, false])('the response, stream %s,', (isStream) => {
  test.each([
    ['says that it is stored, as is the default', {}, { store: true }],
    ['says that it is not stored where the client wants that', { store: false }, { store: false }],
    ['continues nothing', {}, { previous_response_id: null }],
    [
      'repeats what steers it',
      { temperature: 0.5, top_p: 0.1, service_tier: 'flex', metadata: { a: 'b' } },
      { temperature: 0.5, top_p: 0.1, service_tier: 'flex', metadata: { a: 'b' } },
    ],
    [
      'has numbers where the client said nothing',
      {},
      { temperature: 1, top_p: 1, presence_penalty: 0, frequency_penalty: 0, top_logprobs: 0 },
    ],
    [
      'has the format of its text',
      { text: { format: { type: 'json_schema', schema: {} }, verbosity: 'low' } },
      { text: { format: { type: 'json_schema', name: 'response', schema: {} }, verbosity: 'low' } },
    ],
  ])('%s', async (_, body, expected) => {
    for (const response of await responses(body, undefined, isStream))
      expect(response).toMatchObject(expected);
  });

  test('says that it is not stored where this node stores nothing, whatever the client wants', async () => {
    const tools = { ...countingTools(), storesNothing: true };
    for (const response of await responses({ store: true }, undefined, isStream, tools))
      expect(response).toMatchObject({ store: false });
  });

  test('names what it continues as the client did', async () => {
    const told = await responses({}, 'resp_before', isStream);
    expect(told).toHaveLength(isStream ? 3 : 1);
    for (const response of told) expect(response).toMatchObject({ previous_response_id: 'resp_before' });
  });
});

test('a loss is noted once, with its call, and a call notes only so many', () => {
  const noted: [string, string | undefined][] = [];
  const id = newCallId();
  const tools = toolsOf(
    id,
    countingTools((lost, call) => noted.push([lost, call])),
  );
  tools.note('this');
  tools.note('this');
  tools.note('that');
  expect(noted).toEqual([
    ['this', id],
    ['that', id],
  ]);
  for (let more = 0; more < 2 * NOTES_PER_CALL_MAX; more++) tools.note(`loss ${more}`);
  expect(noted).toHaveLength(NOTES_PER_CALL_MAX);
});
