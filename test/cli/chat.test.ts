import { describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { askDaemon } from '../../src/control/client.ts';
import { REQUEST_BODY_BYTES_MAX } from '../../src/core/limits.ts';
import { testHome } from '../config/home.ts';
import { fakeDaemon, STATUS } from '../control/socket.ts';
import { eventually, within } from '../support/eventually.ts';
import { chatBody, chatEvents, dataEvent, DONE } from '../support/openai-bodies.ts';
import {
  answers,
  cutsAfter,
  html,
  json,
  neverAnswers,
  raw,
  refuses,
  says,
  startUpstream,
} from '../support/scripted-upstream.ts';
import { lettingGo, type TestWorldOptions, testWorld } from './world.ts';

const KEY = 'sk-canary-0123456789abcdef';

/** A daemon whose proxy is a scripted server. */
async function running(options: TestWorldOptions = {}) {
  const home = await testHome();
  const proxy = await startUpstream();
  const status = () => ({ ...STATUS, proxy: proxy.baseUrl.replace(/\/v1$/, '') });
  await fakeDaemon(`${home.path}/control.sock`, { status });
  const world = testWorld(home.path, options);
  return { home, proxy, world, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}

const stream = (...events: readonly string[]) =>
  raw({ headers: { 'content-type': 'text/event-stream' } }, events.join(''));
const delta = (fields: object, finish: string | null = null) =>
  dataEvent({ choices: [{ index: 0, delta: fields, finish_reason: finish }] });

describe('chat', () => {
  test('writes the answer as it comes, ends it with a line end, and is 0', async () => {
    await using it = await running();
    const answer = it.proxy.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
    const code = it.world.run('chat', 'qwen3:8b', 'Say it.');
    await answer.send(2);
    await eventually('the first piece is written', () => it.world.written.out === 'Hel');
    await answer.finish();
    expect(await code).toBe(0);
    expect(it.world.written).toEqual({ out: 'Hello\n', err: '' });
    expect((await it.proxy.request(0)).json()).toEqual({
      model: 'qwen3:8b',
      messages: [{ role: 'user', content: 'Say it.' }],
      stream: true,
    });
    expect(it.world.listening()).toBe(0);
  });

  test('reads no faster than it is read', async () => {
    await using it = await running();
    const answer = it.proxy.nextStream(chatEvents({ text: ['Hel', 'lo'] }));
    let release = () => {};
    const full = new Promise<void>((resolve) => {
      release = resolve;
    });
    const out = { ...it.world.out, ready: () => (it.world.written.out === '' ? Promise.resolve() : full) };
    const code = runCli(['chat', 'm', 'Hi'], { ...it.world, out });
    await answer.finish();
    await eventually('it writes', () => it.world.written.out !== '');
    await askDaemon('pid', { path: `${it.home.path}/control.sock`, clock: it.world.clock });
    expect(it.world.written.out).toBe('Hel');
    release();
    expect(await code).toBe(0);
    expect(it.world.written.out).toBe('Hello\n');
  });

  test('adds no second line end', async () => {
    await using it = await running();
    it.proxy.next(says('Done.\n'));
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.out).toBe('Done.\n');
  });

  test('--json writes the whole reply, --no-stream the answer in one piece; both ask for no stream', async () => {
    await using it = await running();
    await it.world.run('chat', 'm', 'Hi', '--json');
    expect(JSON.parse(it.world.written.out)).toEqual(chatBody({ text: ['hello'] }));
    it.world.written.out = '';
    await it.world.run('chat', 'm', 'Hi', '--no-stream');
    expect(it.world.written.out).toBe('hello\n');
    for (const { json: body } of it.proxy.requests) expect(body()).toMatchObject({ stream: false });
  });

  test('says what the model thought and called', async () => {
    await using it = await running();
    it.proxy.next(
      answers({
        text: ['Let me see.'],
        toolCalls: [
          { id: '1', name: 'weather', arguments: '{"city":"Oslo"}' },
          { id: '2', name: 'time', arguments: '{}' },
        ],
      }),
    );
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(0);
    expect(it.world.written.out).toBe(
      'Let me see.\n[tool call] weather({"city":"Oslo"})\n[tool call] time({})\n',
    );
  });

  test.each([
    ['length', /limit of tokens/],
    ['content_filter', /held back/],
  ])('says on standard error that the model stopped early (%s)', async (reason, line) => {
    await using it = await running();
    it.proxy.next(stream(delta({ content: 'Once upon' }), delta({}, reason), DONE));
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(0);
    expect(it.world.written.out).toBe('Once upon\n');
    expect(it.world.written.err).toMatch(line);
  });
});

describe('the prompt', () => {
  test.each([
    ['is standard input where none is given', [], 'What is this?\n', 'What is this?'],
    ['is standard input with "-"', ['-'], 'What is this?\n', 'What is this?'],
    ['goes above what is piped in', ['Review this:'], 'diff --git\n', 'Review this:\n\ndiff --git'],
    ['is alone where the pipe is empty', ['Hi'], '', 'Hi'],
  ])('%s', async (_, argv, input, content) => {
    await using it = await running({ input });
    expect(await it.world.run('chat', 'm', ...argv)).toBe(0);
    expect(it.proxy.requests[0]?.json()).toMatchObject({ messages: [{ role: 'user', content }] });
  });

  test('has the system message before it', async () => {
    await using it = await running();
    await it.world.run('chat', 'm', 'Hi', '--system', 'Be brief.');
    expect(it.proxy.requests[0]?.json()).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });

  test.each([
    ['none at all', ' \n', /there is no prompt/],
    ['more than a request holds', 'x'.repeat(REQUEST_BODY_BYTES_MAX + 1), /standard input is over/],
  ])('%s is bad usage, and nothing is asked', async (_, input, line) => {
    await using it = await running({ input });
    expect(await it.world.run('chat', 'm')).toBe(2);
    expect(it.world.written.err).toMatch(line);
    expect(it.proxy.requests).toEqual([]);
  });
});

describe('where the answer came from', () => {
  const route = { 'x-clawmatrix-route': 'alpha>bravo; model=m; upstream=ollama; attempts=1' };
  const answer = json(200, chatBody({ text: ['hello'] }), route);

  test.each([
    ['is told on a terminal', { columns: 80 }, [], true],
    ['is not told into a pipe', {}, [], false],
    ['is told into a pipe with --route', {}, ['--route'], true],
  ])('%s, on standard error', async (_, options, argv, told) => {
    await using it = await running(options);
    it.proxy.next(answer);
    await it.world.run('chat', 'm', 'Hi', '--no-stream', ...argv);
    expect(it.world.written.out).toBe('hello\n');
    expect(it.world.written.err).toBe(told ? `${route['x-clawmatrix-route']}\n` : '');
  });
});

describe('what the model thought', () => {
  const thinks = stream(
    delta({ reasoning_content: 'Hmm. ' }),
    delta({ reasoning: 'Yes.' }),
    delta({ content: 'Yes' }, 'stop'),
    DONE,
  );

  test('is dim on a terminal, and apart from the answer', async () => {
    await using it = await running({ columns: 80 });
    it.proxy.next(thinks);
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.out).toBe('\x1b[2mHmm. \x1b[0m\x1b[2mYes.\x1b[0m\n\nYes\n');
  });

  test.each([
    ['into a pipe', {}],
    ['where colours are not wanted', { columns: 80, env: { NO_COLOR: '1' } }],
  ])('is left out %s', async (_, options) => {
    await using it = await running(options);
    it.proxy.next(thinks);
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.out).toBe('Yes\n');
  });
});

describe('an answer that would steer the terminal', () => {
  const evil = 'a\x1b[2J\r\u202eb\tc\u200d\n';

  test('cannot', async () => {
    await using it = await running({ columns: 80 });
    it.proxy.next(says(evil));
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.out).toBe('a[2Jb\tc\u200d\n');
  });

  test('goes into a pipe letter for letter', async () => {
    await using it = await running();
    it.proxy.next(says(evil));
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.out).toBe(evil);
  });
});

describe('a refusal', () => {
  test("is the server's message in one line, nothing on standard output, and 1", async () => {
    await using it = await running();
    it.proxy.next(refuses(404, { message: 'no model qwen\nthe nearest: qwen3:8b' }));
    expect(await it.world.run('chat', 'qwen', 'Hi')).toBe(1);
    expect(it.world.written).toEqual({ out: '', err: 'clawmatrix: no model qwen the nearest: qwen3:8b\n' });
  });

  test('says when to try again', async () => {
    await using it = await running();
    it.proxy.next(refuses(503, { message: 'full' }, { 'retry-after': '2' }));
    await it.world.run('chat', 'm', 'Hi');
    expect(it.world.written.err).toBe('clawmatrix: full (try again in 2 s)\n');
  });

  test('without a message is its status', async () => {
    await using it = await running();
    it.proxy.next(html(502));
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(1);
    expect(it.world.written.err).toBe('clawmatrix: the proxy answered with status 502\n');
  });

  test('to answer in the form of an answer is told', async () => {
    await using it = await running();
    it.proxy.next(json(200, {}));
    expect(await it.world.run('chat', 'm', 'Hi', '--no-stream')).toBe(1);
    expect(it.world.written.err).toBe('clawmatrix: the reply is no chat completion\n');
  });

  test('of the connection says so', async () => {
    await using it = await running();
    await it.proxy.stop();
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(1);
    expect(it.world.written.err).toMatch(/^clawmatrix: the proxy at http:\S+ refuses the connection\n$/);
  });
});

describe('an answer that broke off', () => {
  const begun = delta({ content: 'Hel' });

  test.each([
    ['by a cut connection', cutsAfter(begun), 'the connection was cut'],
    [
      'by an error of the server',
      stream(begun, dataEvent({ error: { message: 'the link to bravo broke' } })),
      'the link to bravo broke',
    ],
    ['without its end', stream(begun, delta({}, 'stop')), 'the connection ended'],
    [
      'with what is no chunk',
      stream(begun, 'data: oops\n\n'),
      'an event of the stream is no chunk of a chat completion',
    ],
  ])('%s is the text so far, a line that says so, and 5', async (_, script, why) => {
    await using it = await running();
    it.proxy.next(script);
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(5);
    expect(it.world.written).toEqual({ out: 'Hel\n', err: `clawmatrix: the answer is not whole: ${why}\n` });
  });
});

describe('Ctrl-C', () => {
  test.each([
    ['before the first letter', neverAnswers],
    ['in the middle', stream()],
  ])('%s closes the connection at once, with 130', async (_, script) => {
    await using it = await running();
    const answer = script === neverAnswers ? undefined : it.proxy.nextStream(chatEvents({ text: ['Hel'] }));
    if (answer === undefined) it.proxy.next(neverAnswers);
    const code = it.world.run('chat', 'm', 'Hi');
    await answer?.send(2);
    if (answer !== undefined) await eventually('it writes', () => it.world.written.out !== '');
    const request = await it.proxy.request(0);
    it.world.signal('SIGINT');
    expect(await within('the end', code)).toBe(130);
    await eventually('the server sees it leave', () => request.leftAt !== undefined);
    expect(it.world.written.err).toBe('');
    await lettingGo();
  });

  test('while a person types the prompt, too', async () => {
    await using it = await running();
    const world = { ...it.world, readInput: () => new Promise<string>(() => {}) };
    const code = runCli(['chat', 'm'], world);
    await eventually('it waits', () => it.world.written.err.includes('Ctrl-D'));
    it.world.signal('SIGTERM');
    expect(await within('the end', code)).toBe(143);
  });
});

describe('the key', () => {
  test('of the configuration is sent', async () => {
    await using it = await running();
    await it.home.config({ proxy: { apiKeys: [{ env: 'PROXY_KEY' }, 'another-one'] } });
    const world = testWorld(it.home.path, { env: { PROXY_KEY: KEY } });
    await world.run('chat', 'm', 'Hi');
    expect(it.proxy.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  test.each([
    ['names none', {}],
    ['cannot be read', '{ oops'],
  ])('is left out where the configuration %s', async (_, config) => {
    await using it = await running();
    await it.home.config(config);
    expect(await it.world.run('chat', 'm', 'Hi')).toBe(0);
    expect(it.proxy.requests[0]?.headers).not.toHaveProperty('authorization');
  });
});
