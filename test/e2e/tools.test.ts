/** What an upstream's dialect lacks is made of what it has, between two daemons as within one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { responsesEvents as upstreamEvents } from '../support/openai-bodies.ts';
import { responsesEvents } from '../support/sse-text.ts';
import { MODELS, post, startTwoNodes, type TwoNodes } from '../support/two-nodes.ts';
import * as scripted from '../support/scripted-upstream.ts';

let nodes: TwoNodes;
beforeAll(async () => {
  nodes = await startTwoNodes();
}, 60_000);
afterAll(() => nodes[Symbol.asyncDispose]());

describe('the tools of an agent that speaks Responses, at a server that speaks chat', () => {
  const tools = [
    {
      type: 'custom',
      name: 'apply_patch',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: x' },
    },
    { type: 'namespace', name: 'agents', tools: [{ type: 'function', name: 'spawn', parameters: null }] },
    { type: 'web_search' },
  ];

  test('are called and answered as it declared them', async () => {
    const before = nodes.upstream.requests.length;
    nodes.upstream.next(
      scripted.answers({
        toolCalls: [
          { id: 'c1', name: 'apply_patch', arguments: '{"input":"*** Begin\\n"}' },
          { id: 'c2', name: 'agents__spawn', arguments: '{"n":1}' },
        ],
      }),
    );
    const first = await post(`${nodes.url}/responses`, {
      model: MODELS.chat,
      input: 'Hi',
      tools,
      stream: true,
    });
    expect(first.headers.get('x-clawmatrix-left-out')).toBe('tools[2]');
    const events: unknown[] = responsesEvents(await first.text());
    const { response } = Object(events.at(-1));
    expect(response.output).toMatchObject([
      { type: 'custom_tool_call', call_id: 'c1', name: 'apply_patch', input: '*** Begin\n' },
      { type: 'function_call', call_id: 'c2', name: 'spawn', namespace: 'agents', arguments: '{"n":1}' },
    ]);
    nodes.upstream.next(scripted.says('Done'));
    const results = [
      { type: 'custom_tool_call_output', call_id: 'c1', output: 'patched' },
      { type: 'function_call_output', call_id: 'c2', output: 'spawned' },
    ];
    const input = [{ role: 'user', content: 'Hi' }, ...response.output, ...results];
    const second = await post(`${nodes.url}/responses`, { model: MODELS.chat, input, tools });
    expect(Object(await second.json()).status).toBe('completed');
    const asked = await nodes.upstream.request(before + 1);
    expect(asked.json()).toMatchObject({
      messages: [
        { role: 'user' },
        {
          role: 'assistant',
          tool_calls: [
            { id: 'c1', function: { name: 'apply_patch', arguments: '{"input":"*** Begin\\n"}' } },
            { id: 'c2', function: { name: 'agents__spawn', arguments: '{"n":1}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'patched' },
        { role: 'tool', tool_call_id: 'c2', content: 'spawned' },
      ],
    });
  });
});

test('a text that ends the answer ends it at the server too, which generates no more', async () => {
  const before = nodes.upstream.requests.length;
  const stream = nodes.upstream.nextStream(upstreamEvents({ text: ['one ', 'END', ' two'] }));
  const body = {
    model: MODELS.responses,
    messages: [{ role: 'user', content: 'Hi' }],
    stop: ['END'],
    stream: true,
  };
  const answered = post(`${nodes.url}/chat/completions`, body);
  await stream.send(6);
  const text = await (await answered).text();
  expect(text).toContain('"finish_reason":"stop"');
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
  expect(text).not.toMatch(/END|two/);
  const asked = await nodes.upstream.request(before);
  await eventually('the upstream is left', () => asked.leftAt !== undefined);
});
