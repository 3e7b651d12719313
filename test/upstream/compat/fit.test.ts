/** Requests as they reach a server of which something is known: what is changed for it, and that nothing else is. */
import { describe, expect, test } from 'vitest';
import type { Compat } from '../../../src/core/compat.ts';
import { ClawError } from '../../../src/core/errors.ts';
import { fitChat } from '../../../src/upstream/compat/fit-chat.ts';
import { fitResponses } from '../../../src/upstream/compat/fit-responses.ts';
import type { Fit } from '../../../src/upstream/compat/fitting.ts';

/** Facts, a request, the request as it is sent, and what the client is told of. */
type Row = readonly [string, Compat, object, object, (readonly string[])?];

const user = { role: 'user', content: 'hi' };
const at = (fit: Fit, body: object, compat: Compat, stream = false) => {
  const fitted = fit(Buffer.from(JSON.stringify(body)), compat, stream);
  return { ...fitted, sent: JSON.parse(Buffer.from(fitted.body).toString()) };
};

const ACCOUNT = {
  store: true,
  metadata: { a: 'b' },
  service_tier: 'flex',
  safety_identifier: 'x',
  prompt_cache_key: 'k',
  prompt_cache_retention: '24h',
};
/** The same in both dialects. */
const SHARED: readonly Row[] = [
  ['nothing is known', {}, { ...ACCOUNT, temperature: 0 }, { ...ACCOUNT, temperature: 0 }],
  [
    'it keeps nothing and has no accounts',
    { supportsStore: false },
    { ...ACCOUNT, x: 1 },
    { prompt_cache_key: 'k', prompt_cache_retention: '24h', x: 1 },
    ['store', 'metadata', 'service_tier', 'safety_identifier'],
  ],
  ['not to keep is what it does anyway', { supportsStore: false }, { store: false, metadata: null }, {}],
  [
    'it has no cache by name',
    { supportsPromptCacheKey: false },
    { prompt_cache_key: 'k', prompt_cache_retention: '24h' },
    {},
    ['prompt_cache_key', 'prompt_cache_retention'],
  ],
  ['it has no temperature', { supportsTemperature: false }, { temperature: 0.5 }, {}, ['temperature']],
  [
    'it knows no strict tools',
    { supportsStrictMode: false },
    { tools: [{ type: 'function', name: 'f', strict: true, parameters: { strict: 1 } }] },
    { tools: [{ type: 'function', name: 'f', parameters: { strict: 1 } }] },
    ['tools.strict'],
  ],
];

const CHAT: readonly Row[] = [
  [
    'the limit has another name',
    { maxTokensField: 'max_tokens' },
    { max_completion_tokens: 9 },
    { max_tokens: 9 },
  ],
  ['the limit has that name', { maxTokensField: 'max_tokens' }, { max_tokens: 9 }, { max_tokens: 9 }],
  [
    'of two limits the one that it knows stays',
    { maxTokensField: 'max_completion_tokens' },
    { max_tokens: 1, x: 2, max_completion_tokens: 3 },
    { x: 2, max_completion_tokens: 3 },
  ],
  [
    'a limit that says nothing gives way to one that does',
    { maxTokensField: 'max_tokens' },
    { max_tokens: null, max_completion_tokens: 3 },
    { max_tokens: 3 },
  ],
  [
    'it knows no developer',
    { supportsDeveloperRole: false },
    { messages: [{ role: 'developer', content: '"developer"', name: 'd' }, user] },
    { messages: [{ role: 'system', content: '"developer"', name: 'd' }, user] },
  ],
  [
    'it knows the developer',
    { supportsDeveloperRole: true },
    { messages: [{ role: 'developer', content: 'a' }] },
    { messages: [{ role: 'developer', content: 'a' }] },
  ],
  [
    'it knows no strict functions',
    { supportsStrictMode: false },
    { tools: [{ type: 'function', function: { name: 'f', strict: false } }, { type: 'x' }] },
    { tools: [{ type: 'function', function: { name: 'f' } }, { type: 'x' }] },
  ],
  [
    'it takes no stream options',
    { supportsUsageInStreaming: false },
    { stream_options: { include_usage: true } },
    {},
    ['stream_options'],
  ],
  [
    'it takes no effort',
    { supportsReasoningEffort: false },
    { reasoning_effort: 'high' },
    {},
    ['reasoning_effort'],
  ],
  [
    'it knows fewer efforts',
    { reasoningEffortMap: { minimal: 'low' } },
    { reasoning_effort: 'minimal' },
    { reasoning_effort: 'low' },
  ],
  [
    'an effort that it knows',
    { reasoningEffortMap: { minimal: 'low' } },
    { reasoning_effort: 'high' },
    { reasoning_effort: 'high' },
  ],
  [
    'a word that every object has by birth is no effort of the map',
    { reasoningEffortMap: {} },
    { reasoning_effort: 'constructor' },
    { reasoning_effort: 'constructor' },
  ],
  ['OpenAI', { thinkingFormat: 'openai' }, { reasoning_effort: 'low' }, { reasoning_effort: 'low' }],
  [
    'OpenRouter',
    { thinkingFormat: 'openrouter', reasoningEffortMap: { max: 'xhigh' } },
    { reasoning_effort: 'max' },
    { reasoning: { effort: 'xhigh' } },
  ],
  [
    'what the client wrote for that server says more',
    { thinkingFormat: 'openrouter' },
    { reasoning_effort: 'low', reasoning: { max_tokens: 5 } },
    { reasoning: { max_tokens: 5 } },
  ],
  [
    'DeepSeek',
    { thinkingFormat: 'deepseek' },
    { reasoning_effort: 'low' },
    { reasoning_effort: 'low', thinking: { type: 'enabled' } },
  ],
  [
    'DeepSeek, not to think',
    { thinkingFormat: 'deepseek' },
    { reasoning_effort: 'none' },
    { thinking: { type: 'disabled' } },
  ],
  [
    'thinking, but no effort',
    { thinkingFormat: 'deepseek', supportsReasoningEffort: false },
    { reasoning_effort: 'high' },
    { thinking: { type: 'enabled' } },
  ],
  ['Qwen', { thinkingFormat: 'qwen' }, { reasoning_effort: 'high' }, { enable_thinking: true }],
  [
    'Qwen, not to think',
    { thinkingFormat: 'qwen' },
    { reasoning_effort: 'none' },
    { enable_thinking: false },
  ],
  [
    'a switch of the template',
    { thinkingFormat: 'qwen-chat-template' },
    { reasoning_effort: 'none', chat_template_kwargs: { a: 1 } },
    { chat_template_kwargs: { a: 1, enable_thinking: false } },
  ],
  ['no effort is asked for', { thinkingFormat: 'qwen', supportsReasoningEffort: false }, { a: 1 }, { a: 1 }],
  [
    'content is text alone',
    { requiresStringContent: true },
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'user', content: [] },
      ],
    },
    {
      messages: [
        { role: 'user', content: 'a\nb' },
        { role: 'assistant', content: null, tool_calls: [] },
        { role: 'user', content: '' },
      ],
    },
  ],
  [
    'messages have few keys',
    { strictMessageKeys: true },
    {
      messages: [
        { role: 'user', content: 'a', name: 'n' },
        { role: 'assistant', content: null, tool_calls: [1], refusal: null },
        { role: 'tool', content: 'c', tool_call_id: 'i' },
      ],
    },
    {
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: null, tool_calls: [1] },
        { role: 'tool', content: 'c', tool_call_id: 'i' },
      ],
    },
  ],
  [
    'reasoning goes back under its own name',
    { reasoningField: 'reasoning' },
    { messages: [{ role: 'assistant', reasoning_content: 't', content: 'a' }] },
    { messages: [{ role: 'assistant', reasoning: 't', content: 'a' }] },
  ],
  [
    'reasoning has that name',
    { reasoningField: 'reasoning_content' },
    { messages: [{ role: 'assistant', reasoning_content: 't', reasoning: 't' }] },
    { messages: [{ role: 'assistant', reasoning_content: 't', reasoning: 't' }] },
  ],
  [
    'an empty place is filled by what is there under another name',
    { reasoningField: 'reasoning_content' },
    { messages: [{ role: 'assistant', reasoning_content: null, reasoning_text: 't' }] },
    { messages: [{ role: 'assistant', reasoning_content: 't' }] },
  ],
  [
    'it takes no reasoning back',
    { reasoningField: 'none' },
    {
      messages: [
        { role: 'assistant', content: 'a', reasoning_content: 't', reasoning_details: [{ x: 1 }] },
        { role: 'user', content: 'b', reasoning_content: 'mine' },
      ],
    },
    {
      messages: [
        { role: 'assistant', content: 'a' },
        { role: 'user', content: 'b', reasoning_content: 'mine' },
      ],
    },
    ['messages.reasoning_content', 'messages.reasoning_details'],
  ],
  [
    'every answer needs some reasoning',
    { requiresReasoningContentOnAssistantMessages: true },
    { messages: [user, { role: 'assistant', content: 'a' }, { role: 'assistant', reasoning_content: 't' }] },
    {
      messages: [
        user,
        { role: 'assistant', content: 'a', reasoning_content: '' },
        { role: 'assistant', reasoning_content: 't' },
      ],
    },
  ],
  ['what is no list of messages', { strictMessageKeys: true }, { messages: 'x' }, { messages: 'x' }],
  ['a message that is none', { strictMessageKeys: true }, { messages: [1, null] }, { messages: [1, null] }],
];

const RESPONSES: readonly Row[] = [
  [
    'it knows no developer',
    { supportsDeveloperRole: false },
    {
      input: [
        { role: 'developer', content: 'a' },
        { type: 'message', role: 'developer' },
        { type: 'x', role: 'developer' },
      ],
    },
    {
      input: [
        { role: 'system', content: 'a' },
        { type: 'message', role: 'system' },
        { type: 'x', role: 'developer' },
      ],
    },
  ],
  ['input is a text', { supportsDeveloperRole: false }, { input: 'developer' }, { input: 'developer' }],
  [
    'it takes no effort',
    { supportsReasoningEffort: false },
    { reasoning: { effort: 'high', summary: 'auto' } },
    { reasoning: { summary: 'auto' } },
    ['reasoning.effort'],
  ],
  [
    'it takes no effort, which was all of it',
    { supportsReasoningEffort: false },
    { reasoning: { effort: 'high' } },
    {},
    ['reasoning.effort'],
  ],
  [
    'it knows fewer efforts',
    { reasoningEffortMap: { xhigh: 'high' } },
    { reasoning: { effort: 'xhigh', summary: null } },
    { reasoning: { effort: 'high', summary: null } },
  ],
];

const named = (rows: readonly Row[]) =>
  rows.map(([name, compat, body, sent, leftOut = []]) => ({ name, compat, body, sent, leftOut }));

describe.each([
  { dialect: 'chat', fit: fitChat, rows: named([...SHARED, ...CHAT]) },
  { dialect: 'responses', fit: fitResponses, rows: named([...SHARED, ...RESPONSES]) },
])('$dialect', ({ fit, rows }) => {
  test.each(rows)('$name', ({ compat, body, sent, leftOut }) => {
    const fitted = at(fit, body, compat);
    expect(fitted.sent).toEqual(sent);
    expect(fitted.leftOut).toEqual(leftOut);
    expect(fitted).toMatchObject({ asksUsage: false, asksProgress: false });
  });

  test.each(rows.filter(({ body, sent }) => JSON.stringify(body) === JSON.stringify(sent)))(
    '$name: what needs nothing is the very same bytes',
    ({ compat, body }) => {
      const bytes = Buffer.from(JSON.stringify(body));
      expect(fit(bytes, compat, false).body).toBe(bytes);
    },
  );

  test('what is not changed keeps its spelling: huge integers, spacing, order', () => {
    const rest = '"seed": 9007199254740993,"z":[ 1.0e+2 ]';
    const { body } = fit(Buffer.from(`{${rest},"metadata":{}}`), { supportsStore: false }, false);
    expect(Buffer.from(body).toString()).toBe(`{${rest}}`);
  });
});

test.each([
  [
    [
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'x' } },
    ],
    'messages[1].content[1]',
    'image_url',
  ],
  [[{ type: 'text' }], 'messages[1].content[0]', 'text'],
  [[7], 'messages[1].content[0]', 'no text'],
])(
  'a part that is no text is refused by its place, where the server takes text alone',
  (content, param, what) => {
    const body = Buffer.from(JSON.stringify({ messages: [user, { role: 'user', content }] }));
    const refused = () => fitChat(body, { requiresStringContent: true }, false);
    expect(refused).toThrow(ClawError);
    expect(refused).toThrow(expect.objectContaining({ code: 'unsupported_parameter', status: 400, param }));
    expect(refused).toThrow(what);
  },
);

describe('usage of a stream', () => {
  const asked = { stream_options: { include_usage: true } };

  test.each([
    ['a client that says nothing', {}, asked, true],
    [
      'a client with other options',
      { stream_options: { x: 1 } },
      { stream_options: { x: 1, include_usage: true } },
      true,
    ],
    ['a client that wants none', { stream_options: { include_usage: false } }, asked, true],
    ['a client that says null', { stream_options: null }, asked, true],
    ['a client that asks itself', asked, asked, false],
    ['options of no use', { stream_options: 7 }, { stream_options: 7 }, false],
  ])('is asked for, for %s', (_, body, sent, asksUsage) => {
    expect(at(fitChat, body, { supportsUsageInStreaming: true }, true)).toMatchObject({ sent, asksUsage });
  });

  test('is not asked for without a stream, nor of a server of which it is not known', () => {
    expect(at(fitChat, {}, { supportsUsageInStreaming: true }, false)).toMatchObject({
      sent: {},
      asksUsage: false,
    });
    expect(at(fitChat, {}, {}, true)).toMatchObject({ sent: {}, asksUsage: false });
  });
});
