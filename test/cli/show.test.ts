import { describe, expect, test } from 'vitest';
import { duration } from '../../src/cli/figures.ts';
import { testHome } from '../config/home.ts';
import { fakeDaemon, MODELS, model, PEERS, STATUS } from '../control/socket.ts';
import { type TestWorldOptions, testWorld } from './world.ts';

async function running(options: TestWorldOptions = {}, handlers: Parameters<typeof fakeDaemon>[1] = {}) {
  const home = await testHome();
  await fakeDaemon(`${home.path}/control.sock`, handlers);
  return testWorld(home.path, options);
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => [...line].length));
}

describe('peers', () => {
  test('that is about to stop is still connected, and is not called down', async () => {
    const leaving = PEERS.slice(0, 1).map((peer) => ({ ...peer, reason: 'it is stopping' }));
    const world = await running({}, { peers: () => leaving });
    expect(await world.run('peers')).toBe(0);
    expect(world.written.out).toContain('\nhub: it is stopping\n');
  });

  test('is a table that fits 80 columns, and why a peer is down, in full', async () => {
    const world = await running();
    expect(await world.run('peers')).toBe(0);
    expect(world.written.out).toBe(
      [
        'NAME                     ID        STATUS     RTT  MODELS  VERSION  PATH',
        'hub                      aibaeaqc  direct  1.2 ms       1  0.1.0    studio > hub',
        'wss://relay.a-very-lon…  -         down         -       0  -        -',
        '',
        `${PEERS[1]?.url} is down: ${PEERS[1]?.reason}`,
        '',
      ].join('\n'),
    );
    expect(widest(world.written.out.split('\n\n')[0] ?? '')).toBeLessThanOrEqual(80);
  });

  test('--json is an array with all that is known', async () => {
    const world = await running();
    expect(await world.run('peers', '--json')).toBe(0);
    expect(JSON.parse(world.written.out)).toEqual(PEERS);
    expect(Object.keys(JSON.parse(world.written.out)[0])).toEqual(
      expect.arrayContaining(['id', 'name', 'status', 'rttMs', 'path', 'models', 'version']),
    );
  });

  test('without any says so, and is an empty array as JSON', async () => {
    const world = await running({}, { peers: () => [] });
    await world.run('peers');
    await world.run('peers', '--json');
    expect(world.written.out).toBe('No peers: none is configured, and none has come by.\n[]\n');
  });
});

describe('models', () => {
  test('is a table that fits 80 columns, with letters that take two', async () => {
    const world = await running();
    expect(await world.run('models')).toBe(0);
    expect(world.written.out).toBe(
      [
        'MODEL                       NODE           PROVIDER  API          CONTEXT  STATE',
        'qwen3:8b                    studio (here)  ollama    completions    32768  up',
        'meta-llama/Llama-4-Maveri…  hub            ollama    completions        -  down',
        '夢幻模型-夢幻模型-夢幻模…   hub            ollama    completions        -  up',
        '',
      ].join('\n'),
    );
  });

  test('--json is an array of the documented keys, with names in full', async () => {
    const world = await running();
    await world.run('models', '--json');
    const rows: unknown = JSON.parse(world.written.out);
    expect(rows).toEqual(MODELS.map(({ card: _, ...row }) => row));
    expect(rows).toMatchObject([
      {
        id: 'qwen3:8b',
        node: 'studio',
        provider: 'ollama',
        api: 'openai-completions',
        reachable: true,
        contextWindow: 32_768,
      },
      {},
      {},
    ]);
  });

  test('a wider terminal is used, a narrower one is not overrun', async () => {
    const wide = await running({ columns: 160, env: { NO_COLOR: '1' } });
    await wide.run('models');
    expect(wide.written.out).toContain(MODELS[1]?.id);
    const narrow = await running({ columns: 50, env: { NO_COLOR: '1' } });
    await narrow.run('models');
    expect(widest(narrow.written.out)).toBeLessThanOrEqual(50);
  });
});

describe('colour', () => {
  const colours = '\x1b[';

  test('is for a terminal', async () => {
    const world = await running({ columns: 80 });
    await world.run('peers');
    expect(world.written.out).toContain('\x1b[32mdirect');
    expect(world.written.out).toContain('\x1b[31mdown');
  });

  test.each([
    ['into a pipe', {}],
    ['with NO_COLOR', { columns: 80, env: { NO_COLOR: '1' } }],
    ['on a dumb terminal', { columns: 80, env: { TERM: 'dumb' } }],
  ])('is left out %s', async (_, options) => {
    const world = await running(options);
    await world.run('peers');
    expect(world.written.out).not.toContain(colours);
  });

  test('is not left out for a NO_COLOR that is empty', async () => {
    const world = await running({ columns: 80, env: { NO_COLOR: '' } });
    await world.run('peers');
    expect(world.written.out).toContain(colours);
  });
});

describe('a name that another node made up cannot steer the terminal', () => {
  const evil = 'a\x1b[2J\u009b31m\u202eb\nc';

  test('in a table', async () => {
    const world = await running({}, { models: () => [model('m', { id: evil })] });
    await world.run('models');
    expect(world.written.out.split('\n')[1]).toMatch(/^a\[2J31mbc +hub/);
  });

  test('as JSON, where it is still the same name', async () => {
    const world = await running({}, { models: () => [model('m', { id: evil })] });
    await world.run('models', '--json');
    expect(world.written.out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(JSON.parse(world.written.out)[0].id).toBe(evil);
  });
});

describe('status', () => {
  test('says in lines what the daemon is and does', async () => {
    const world = await running();
    expect(await world.run('status')).toBe(0);
    expect(world.written.out).toBe(
      [
        `node     studio (${STATUS.id})`,
        'version  0.1.0',
        `process  ${process.pid}, up 2 h 3 min`,
        'proxy    http://127.0.0.1:19701/v1',
        'mesh     dials only, does not listen',
        'peers    1 connected, 1 down',
        'models   1 here, 2 on other nodes',
        'calls    3 from clients here, 0 for other nodes',
        'warning  something to mend',
        '',
      ].join('\n'),
    );
  });

  test('--json is the whole view', async () => {
    const world = await running();
    await world.run('status', '--json');
    expect(JSON.parse(world.written.out)).toEqual(STATUS);
  });

  test.each([
    [0.9, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3_600, '1 h 0 min'],
    [172_799, '47 h 59 min'],
    [172_800, '2 days'],
  ])('%d seconds are written %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe('exit codes', () => {
  test.each(['status', 'peers', 'models', 'stop'])(
    '%s without a daemon is 3, and says how to start one',
    async (command) => {
      const home = await testHome();
      const world = testWorld(home.path);
      expect(await world.run(command)).toBe(3);
      expect(world.written.err).toBe(
        `clawmatrix: no daemon is running on ${home.path}/control.sock\nStart one with: clawmatrix start\n`,
      );
      expect(world.written.out).toBe('');
    },
  );

  test('a node that was chosen by --home and --config is started with them', async () => {
    const home = await testHome();
    const world = testWorld('/nowhere');
    expect(await world.run('--home', home.path, '--config', 'my.json', 'peers')).toBe(3);
    expect(world.written.err).toContain(
      `Start one with: clawmatrix --home ${home.path} --config my.json start\n`,
    );
  });

  test('what is to be typed is one word to a shell, also where the path has a space or a quote', async () => {
    const home = await testHome();
    const world = testWorld('/nowhere');
    expect(await world.run('--home', `${home.path}/my $x's`, 'peers')).toBe(3);
    expect(world.written.err).toContain(`clawmatrix --home '${home.path}/my $x'\\''s' start\n`);
  });

  test('a daemon that answers in an unknown form is 1', async () => {
    const world = await running({}, { status: () => ({ ...STATUS, pid: -1 }) });
    expect(await world.run('status')).toBe(1);
    expect(world.written.err.split('\n')).toHaveLength(2);
  });

  test.each([[['peers', '--jsn']], [['peeers']], [['peers', 'x']], [['start', '--config']], [[]]])(
    'bad usage, as %j, is 2',
    async (argv) => {
      const world = testWorld('/nowhere');
      expect(await world.run(...argv)).toBe(2);
      expect(world.written.out).toBe('');
      expect(world.written.err).not.toContain('    at ');
    },
  );

  test('--help lists commands and exit codes, --version the version; both are 0', async () => {
    const world = testWorld('/nowhere');
    expect(await world.run('--help')).toBe(0);
    expect(world.written.out).toMatch(
      /init.*start.*stop.*restart.*status.*peers.*models.*chat.*doctor.*3 {4}no daemon is running\n.*143 {2}ended by SIGTERM\n$/s,
    );
    expect(widest(world.written.out)).toBeLessThanOrEqual(80);
    world.written.out = '';
    expect(await world.run('--version')).toBe(0);
    expect(world.written.out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('stop waits for the daemon to go and is 0', async () => {
    const world = await running();
    expect(await world.run('stop')).toBe(0);
    expect(world.written.out).toBe(`stopped (pid ${process.pid})\n`);
    expect(await world.run('status')).toBe(3);
  });

  test('--home goes before $CLAWMATRIX_HOME, before the command or behind it', async () => {
    const home = await testHome();
    await fakeDaemon(`${home.path}/control.sock`);
    const world = testWorld('/nowhere');
    expect(await world.run('--home', home.path, 'peers')).toBe(0);
    expect(await world.run('peers', '--home', home.path)).toBe(0);
    expect(await world.run('peers')).toBe(3);
  });
});
