/** What a Chat Completions server gets wrong in a stream, row by row: the bytes in, the bytes out. */
import { describe, expect, test } from 'vitest';
import { CHOICES_MAX } from '../../src/core/limits.ts';
import { checkChatStream } from '../support/chat-rules.ts';
import { mended } from './mending.ts';

const DONE = 'data: [DONE]\n\n';
const HEAD = { id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'm' };
const event = (json: unknown) => `data: ${JSON.stringify(json)}\n\n`;
const chunk = (delta: object, finish: string | null = null, more: object = {}) =>
  event({ ...HEAD, choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const ROLE = chunk({ role: 'assistant', content: '' });
const TEXT = chunk({ content: 'Hel' }) + chunk({ content: 'lo "error" \\"message\\" [x]' });
const STOP = chunk({}, 'stop');
const begins = (fields: object) => chunk({ tool_calls: [fields] });
const look = (more: object = {}) => ({
  index: 0,
  id: 'a',
  type: 'function',
  function: { name: 'look', arguments: '' },
  ...more,
});
const input = (text: string, more: object = { index: 0 }) =>
  begins({ ...more, function: { arguments: text } });
const CALLS = ROLE + begins(look()) + input('{"at"') + input(':1}') + chunk({}, 'tool_calls');

/** The same in another order of keys is the same. */
function read(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => {
      const data = /^data: (.*)$/.exec(part)?.[1];
      return data === undefined || data === '[DONE]' ? part : JSON.parse(data);
    });
}

describe('a stream with nothing to mend', () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2 };
  test.each<[string, string]>([
    ['text', ROLE + TEXT + STOP + DONE],
    ['data without a space', (ROLE + TEXT + STOP + DONE).replaceAll('data: ', 'data:')],
    ['comments', `: hi\n\n${ROLE}: ping\n\n: pong\n${TEXT}${STOP}${DONE}: bye\n\n`],
    ['calls', CALLS + DONE],
    [
      'two calls at once',
      ROLE +
        begins(look()) +
        begins(look({ index: 1, id: 'b' })) +
        input('{}') +
        input('{}', { index: 1 }) +
        chunk({}, 'tool_calls') +
        DONE,
    ],
    [
      'a whole call in one chunk',
      ROLE + begins(look({ function: { name: 'x', arguments: '{}' } })) + chunk({}, 'tool_calls') + DONE,
    ],
    [
      'a custom call',
      ROLE +
        begins({ index: 0, id: 'a', type: 'custom', custom: { name: 'run', input: '' } }) +
        begins({ index: 0, custom: { input: 'x' } }) +
        chunk({}, 'tool_calls') +
        DONE,
    ],
    [
      'a call of the old kind',
      ROLE +
        chunk({ function_call: { name: 'look', arguments: '' } }) +
        chunk({ function_call: { arguments: '{}' } }) +
        chunk({}, 'function_call') +
        DONE,
    ],
    ['usage with the finish', ROLE + TEXT + chunk({}, 'stop', { usage }) + DONE],
    [
      'usage in every chunk',
      ROLE + chunk({ content: 'a' }, null, { usage }) + chunk({}, 'stop', { usage }) + DONE,
    ],
    [
      'usage behind all',
      ROLE + TEXT + chunk({}, 'stop', { usage: null }) + event({ ...HEAD, choices: [], usage }) + DONE,
    ],
    [
      'a first chunk as Azure sends it',
      event({ id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [] }) +
        ROLE +
        TEXT +
        STOP +
        DONE,
    ],
    [
      'reasoning',
      ROLE + chunk({ reasoning_content: 'hm' }) + chunk({ reasoning: 'hm' }) + TEXT + STOP + DONE,
    ],
    [
      'no content yet',
      chunk({ role: 'assistant', content: null }) +
        chunk({ tool_calls: null }) +
        chunk({ tool_calls: [] }) +
        STOP +
        DONE,
    ],
    [
      'two choices',
      event({
        ...HEAD,
        choices: [0, 1].map((index) => ({ index, delta: { role: 'assistant' }, finish_reason: null })),
      }) +
        TEXT +
        event({ ...HEAD, choices: [0, 1].map((index) => ({ index, delta: {}, finish_reason: 'stop' })) }) +
        DONE,
    ],
    [
      'words that nobody knows',
      ROLE + chunk({ content: 'a', x: 1 }, null, { y: [2] }) + chunk({}, 'length', { z: 3 }) + DONE,
    ],
    [
      'numbers with all their digits',
      ROLE + TEXT + STOP.replace('"created":5', '"created":5,"x":9007199254740993') + DONE,
    ],
    [
      '`"error":null` in every chunk',
      (ROLE + TEXT + STOP).replaceAll('"created":5', '"created":5,"error":null') + DONE,
    ],
  ])('passes byte for byte, and as the very same object: %s', (_what, stream) => {
    for (const pieces of [[stream], stream.split(/(?<=\n\n)/)]) {
      const { text, untouched, failure } = mended('chat', pieces);
      expect(text).toBe(stream);
      expect(untouched.every(Boolean)).toBe(true);
      expect(failure).toBeUndefined();
    }
  });

  test('passes as it came where repair is off, whatever it is', () => {
    const odd = `\ufeffevent: x\r\ndata: {}\r\n\r\n`;
    expect(mended('chat', [odd], { repair: false }).text).toBe(odd);
  });
});

describe('the lines', () => {
  const clean = ROLE + TEXT + STOP + DONE;
  test.each<[string, string]>([
    ['CRLF', clean.replaceAll('\n', '\r\n')],
    ['CR', clean.replaceAll('\n', '\r')],
    ['a byte order mark', Buffer.from(`\ufeff${clean}`).toString('latin1')],
    ['no final empty line', clean.slice(0, -1)],
    ['no final line end at all', clean.slice(0, -2)],
    ['CRLF and no final line end', clean.replaceAll('\n', '\r\n').slice(0, -4)],
    ['names of events', clean.replaceAll('data: ', 'event: message\ndata: ')],
    ['empty names of events', clean.replaceAll('data: ', 'event:\ndata: ')],
  ])('%s: as if the server had written them well', (_what, stream) => {
    const whole = mended('chat', [stream]).text;
    expect(whole.replaceAll('event:\n', '')).toBe(clean);
    expect(mended('chat', [...stream]).text).toBe(whole);
  });

  test('comments and fields of an event that is told anew are kept', () => {
    const stream = `: one\nid: 7\nevent: message\n${ROLE}${STOP}${DONE}`;
    expect(mended('chat', [stream]).text).toBe(`: one\nid: 7\n${ROLE}${STOP}${DONE}`);
  });
});

const GIVEN = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 99, model: 'own-m' };
const bare = (delta: object, finish: string | null = null) =>
  event({ choices: [{ delta, finish_reason: finish }] });
const given = (delta: object, finish: string | null = null) =>
  event({ ...GIVEN, choices: [{ index: 0, delta, finish_reason: finish }] });

describe('what a chunk lacks', () => {
  test.each<[string, string, string]>([
    [
      'a role',
      chunk({ content: 'a' }) + TEXT + STOP + DONE,
      chunk({ role: 'assistant', content: 'a' }) + TEXT + STOP + DONE,
    ],
    [
      'all of its head, in every chunk',
      bare({ role: 'assistant' }) + bare({ content: 'a' }) + bare({ content: 'b' }) + bare({}, 'stop') + DONE,
      given({ role: 'assistant' }) +
        given({ content: 'a' }) +
        given({ content: 'b' }) +
        given({}, 'stop') +
        DONE,
    ],
    [
      'its delta',
      ROLE + event({ ...HEAD, choices: [{ index: 0, finish_reason: 'stop' }] }) + DONE,
      ROLE + STOP + DONE,
    ],
    [
      'its choices',
      ROLE + STOP + event({ ...HEAD, usage: { prompt_tokens: 1 } }) + DONE,
      ROLE + STOP + event({ ...HEAD, usage: { prompt_tokens: 1 }, choices: [] }) + DONE,
    ],
    [
      'a delta, and has a message in its place',
      ROLE +
        event({
          ...HEAD,
          choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
        }) +
        DONE,
      ROLE + chunk({ role: 'assistant', content: 'Hi' }, 'stop') + DONE,
    ],
    [
      'a finish of its own, and "" in its place',
      ROLE + chunk({ content: 'a' }, '') + STOP + DONE,
      ROLE + chunk({ content: 'a' }, null) + STOP + DONE,
    ],
    [
      'the id of the others',
      ROLE + TEXT.replaceAll('"c1"', '"c2"') + STOP.replace('"c1"', '"c3"') + DONE,
      ROLE + TEXT + STOP + DONE,
    ],
    ['any end before [DONE]', ROLE + TEXT + DONE, ROLE + TEXT + STOP + DONE],
    ['any end behind calls', CALLS.replace(chunk({}, 'tool_calls'), '') + DONE, CALLS + DONE],
  ])('%s', (_what, stream, out) => {
    expect(read(mended('chat', [stream]).text)).toEqual(read(out));
    expect(read(mended('chat', stream.split(/(?<=\n\n)/)).text)).toEqual(read(out));
  });

  test('is looked for in the first chunks: a fault without a sign that only shows later passes, however it comes', () => {
    const stream = ROLE + TEXT + chunk({ content: 'a' }).replace('"c1"', '"c2"') + STOP + DONE;
    expect(mended('chat', [stream]).text).toBe(stream);
    expect(mended('chat', stream.split(/(?<=\n\n)/)).text).toBe(stream);
  });

  test.each<[string, string]>([
    ['eos', 'stop'],
    ['end_turn', 'stop'],
    ['STOP', 'stop'],
    ['banana', 'stop'],
    ['max_tokens', 'length'],
    ['safety', 'content_filter'],
    ['recitation', 'content_filter'],
    ['length', 'length'],
    ['content_filter', 'content_filter'],
  ])('the finish %s is told as %s', (reason, told) => {
    expect(read(mended('chat', [ROLE + chunk({}, reason) + DONE]).text)).toEqual(
      read(ROLE + chunk({}, told) + DONE),
    );
  });

  test.each(['stop', 'tool_call', 'tool_use', 'end_turn', 'eos'])(
    'the finish %s behind calls is tool_calls',
    (reason) => {
      const stream = CALLS.replace('"tool_calls"}]', `"${reason}"}]`) + DONE;
      expect(read(mended('chat', [stream]).text)).toEqual(read(CALLS + DONE));
    },
  );

  test('usage inside of the choice is told of the whole, too', () => {
    const usage = { prompt_tokens: 3, completion_tokens: 4 };
    const choice = { index: 0, delta: {}, finish_reason: 'stop', usage };
    const { text } = mended('chat', [ROLE + event({ ...HEAD, choices: [choice] }) + DONE]);
    expect(read(text)).toEqual(read(ROLE + event({ ...HEAD, choices: [choice], usage }) + DONE));
  });
});

describe('calls', () => {
  const CALL_END = chunk({}, 'tool_calls') + DONE;
  const whole = (fields: object, args: unknown = '{"at":1}') => ({
    ...fields,
    function: { name: 'look', arguments: args },
  });
  test.each<[string, string, string]>([
    [
      'without an id',
      begins(look({ id: undefined })) + input('{}'),
      begins(look({ id: 'call_1' })) + input('{}'),
    ],
    [
      'with an empty id',
      begins(look({ id: '' })) + input('{}'),
      begins(look({ id: 'call_1' })) + input('{}'),
    ],
    [
      'with an id that comes again and again',
      begins(look()) + input('{}', { index: 0, id: 'a' }) + input('', { index: 0, id: '' }),
      begins(look()) + input('{}') + input(''),
    ],
    [
      'with an id that only comes later',
      begins(look({ id: undefined })) + input('{}', { index: 0, id: 'late' }),
      begins(look({ id: 'call_1' })) + input('{}'),
    ],
    [
      'of two with one id',
      begins(look({ ...whole({}) })) + begins(look({ index: 1, ...whole({}) })),
      begins(look({ ...whole({}) })) + begins(look({ index: 1, id: 'call_1', ...whole({}) })),
    ],
    ['without a number', begins(look({ index: undefined })) + input('{}', {}), begins(look()) + input('{}')],
    [
      'with numbers that begin behind 0',
      begins(look({ index: 2 })) +
        begins(look({ index: 4, id: 'b' })) +
        input('{}', { index: 2 }) +
        input('{}', { index: 4 }),
      begins(look()) + begins(look({ index: 1, id: 'b' })) + input('{}') + input('{}', { index: 1 }),
    ],
    [
      'of two without numbers',
      begins(look({ index: undefined, id: undefined, ...whole({}) })) +
        begins(look({ index: undefined, id: undefined, ...whole({}) })),
      begins(look({ id: 'call_1', ...whole({}) })) + begins(look({ index: 1, id: 'call_2', ...whole({}) })),
    ],
    [
      'of two that share a number',
      begins(look(whole({}))) +
        begins(look({ id: 'b', function: { name: 'go', arguments: '' } })) +
        input('{}'),
      begins(look(whole({}))) +
        begins(look({ index: 1, id: 'b', function: { name: 'go', arguments: '' } })) +
        input('{}', { index: 1 }),
    ],
    [
      'of two of one name that share a number and have no ids',
      begins(look({ id: undefined, ...whole({}) })) + begins(look({ id: undefined, ...whole({}) })),
      begins(look({ id: 'call_1', ...whole({}) })) + begins(look({ index: 1, id: 'call_2', ...whole({}) })),
    ],
    ['without a type', begins(look({ type: undefined })) + input('{}'), begins(look()) + input('{}')],
    [
      'with a name that is repeated',
      begins(look()) +
        begins({ index: 0, function: { name: 'look', arguments: '{' } }) +
        begins({ index: 0, function: { name: 'look', arguments: '}' } }),
      begins(look()) + input('{') + input('}'),
    ],
    ['with arguments that are an object', begins(look(whole({}, { at: 1 }))), begins(look(whole({})))],
    [
      'with arguments that are null',
      begins(look(whole({}, null))) + input('{}'),
      begins(look()) + input('{}'),
    ],
    ['with no arguments at all', begins(look()), begins(look()) + input('{}')],
    [
      'with nothing but space for arguments',
      begins(look()) + input(' '),
      begins(look()) + input(' ') + input('{}'),
    ],
  ])('%s', (_what, calls, out) => {
    const stream = ROLE + calls + CALL_END;
    expect(read(mended('chat', [stream]).text)).toEqual(read(ROLE + out + CALL_END));
    expect(read(mended('chat', stream.split(/(?<=\n\n)/)).text)).toEqual(read(ROLE + out + CALL_END));
  });

  test('without arguments in the chunk that ends the answer have theirs in it', () => {
    const last = (args: string) => chunk({ tool_calls: [look(whole({}, args))] }, 'tool_calls');
    expect(read(mended('chat', [ROLE + last('') + DONE]).text)).toEqual(read(ROLE + last('{}') + DONE));
  });

  test('of each choice are its own', () => {
    const call = look({ id: undefined, ...whole({}) });
    const both = (tool_calls: object[][], finish: string | null) =>
      event({
        ...HEAD,
        choices: tool_calls.map((calls, index) => ({
          index,
          delta: { role: 'assistant', tool_calls: calls },
          finish_reason: finish,
        })),
      });
    const { text } = mended('chat', [both([[call], [call]], null) + both([[], []], 'stop') + DONE]);
    expect(read(text)).toEqual(
      read(
        both([[{ ...call, id: 'call_1' }], [{ ...call, id: 'call_2' }]], null) +
          both([[], []], 'tool_calls') +
          DONE,
      ),
    );
  });

  test('all faults at once come out as a stream that keeps every rule', () => {
    const stream = [
      bare({ tool_calls: [{ function: { name: 'look', arguments: { at: 1 } } }] }),
      bare({ tool_calls: [{ id: '', function: { name: 'go', arguments: null } }] }),
      bare({ content: 'So.' }),
      event({ choices: [{ message: {}, finish_reason: 'eos' }] }),
    ].join('');
    const { text } = mended('chat', [stream + DONE]);
    expect(() => checkChatStream([...read(text).slice(0, -1), '[DONE]'])).not.toThrow();
    expect(read(text)).toContainEqual({
      ...GIVEN,
      id: 'chatcmpl-2',
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 1, function: { arguments: '{}' } }] },
          finish_reason: null,
        },
      ],
    });
  });
});

describe('a failure in mid-stream', () => {
  const said = { message: 'no memory', type: 'server_error', param: 'x', code: 'oom' };
  const nothing = { code: undefined, type: undefined, param: undefined };
  test.each<[string, string, object]>([
    ['an object', event({ error: said }), said],
    ['a text', event({ error: 'no memory' }), { ...nothing, message: 'no memory' }],
    [
      'a code that is a number',
      event({ error: { message: 'no memory', code: 502 } }),
      { ...nothing, message: 'no memory', code: '502' },
    ],
    [
      'an old flat form',
      event({ object: 'error', message: 'no memory', code: 40_303 }),
      { ...nothing, message: 'no memory', code: '40303' },
    ],
    [
      'an event of that name',
      `event: error\ndata: ${JSON.stringify({ message: 'no memory' })}\n\n`,
      { ...nothing, message: 'no memory' },
    ],
    [
      'an event of that name without JSON',
      'event: error\ndata: no memory\n\n',
      { ...nothing, message: 'no memory' },
    ],
    ['a finish beside choices', chunk({ content: '' }, 'error', { error: said }), said],
    [
      'a finish alone',
      chunk({}, 'insufficient_system_resource'),
      { ...nothing, message: 'the upstream ended the answer with an error' },
    ],
  ])('%s is told as one, and neither it nor [DONE] passes', (_what, failing, failure) => {
    const { text, failure: told } = mended('chat', [ROLE + TEXT, failing + DONE]);
    expect(text).toBe(ROLE + TEXT);
    expect(told).toEqual(failure);
    expect(mended('chat', [ROLE + TEXT + failing + DONE])).toMatchObject({ text, failure });
  });

  test('behind the end of an answer takes nothing back', () => {
    const { text, failure } = mended('chat', [ROLE + STOP + event({ error: said }) + DONE]);
    expect(text).toBe(ROLE + STOP + DONE);
    expect(failure).toBeUndefined();
  });
});

test.each([
  ['repair', { repair: true }],
  ['think tags', { repair: false, thinkTags: true }],
])('choices beyond the most that an answer has pass as they came: %s', (_what, mending) => {
  const calls = [{ index: 0, id: 'a', function: { name: 'look', arguments: '{}' } }];
  const delta = { role: 'assistant', content: '<think>Hm', tool_calls: calls };
  const choice = (index: number) => event({ ...HEAD, choices: [{ index, delta, finish_reason: null }] });
  const pieces = Array.from({ length: CHOICES_MAX + 2 }, (_, index) => choice(index));
  const { untouched } = mended('chat', pieces, mending);
  expect(untouched.map((isSame, index) => (isSame ? index : -1)).filter((index) => index >= 0)).toEqual([
    CHOICES_MAX,
    CHOICES_MAX + 1,
  ]);
});
