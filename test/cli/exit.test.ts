import { describe, expect, test } from 'vitest';
import { EXIT, exitCodeOf, NotWhole, UsageFault } from '../../src/cli/exit.ts';
import { reachable } from '../../src/cli/proxy.ts';
import { ConfigFaults } from '../../src/config/faults.ts';
import { ControlFault } from '../../src/control/fault.ts';
import { FileFault } from '../../src/lib/files.ts';
import { testWorld } from './world.ts';

describe('an error ends the command with', () => {
  test.each<[number, string, unknown]>([
    [1, 'anything unforeseen', new Error('?')],
    [1, 'what is no error', 'a text'],
    [1, 'a daemon that gives no answer', new ControlFault('silent', '')],
    [1, 'a daemon of another form', new ControlFault('garbled', '')],
    [1, 'a socket of another user', new ControlFault('unusable', '')],
    [2, 'a configuration with faults', new ConfigFaults([], null, (text) => text)],
    [2, 'a new configuration with faults', new ControlFault('faulty', '')],
    [2, 'a file that is not private', new FileFault('')],
    [2, 'bad usage', new UsageFault('')],
    [3, 'no daemon', new ControlFault('not_running', '')],
    [4, 'a daemon that runs already', new ControlFault('already_running', '')],
    [4, 'the same inside another error', new Error('', { cause: new ControlFault('already_running', '') })],
    [5, 'an answer that broke off', new NotWhole('')],
  ])('%d: %s', (code, _, error) => {
    expect(exitCodeOf(error)).toBe(code);
    expect(Object.values(EXIT)).toContain(code);
  });
});

test.each([
  ['status'],
  ['peers'],
  ['models'],
  ['stop'],
  ['restart'],
  ['chat', 'm', 'Hi'],
  ['models', '--watch'],
])(
  '%s without a daemon is one line on standard error with its mend, nothing on standard output, and 3',
  async (...argv) => {
    const world = testWorld('/nowhere/at/all');
    expect(await world.run(...argv)).toBe(EXIT.notRunning);
    expect(world.written).toEqual({
      out: '',
      err: 'clawmatrix: no daemon is running on /nowhere/at/all/control.sock\nStart one with: clawmatrix start\n',
    });
    expect(world.listening()).toBe(0);
  },
);

test.each([
  [['chat']],
  [['chat', 'm', 'Hi', 'more']],
  [['chat', 'm', '--sytem', 'x']],
  [['doctor', 'x']],
  [['restart', '--now']],
])('bad usage, as %j, is 2', async (argv) => {
  const world = testWorld('/nowhere');
  expect(await world.run(...argv)).toBe(EXIT.badConfig);
  expect(world.written.out).toBe('');
});

test.each([[['--home', '', 'init']], [['--config', '', 'start']]])(
  '%j, of a variable that is not set, does not mean the directory it is typed in',
  async (argv) => {
    const world = testWorld('/nowhere');
    expect(await world.run(...argv)).toBe(EXIT.badConfig);
    expect(world.written.err).toContain("argument '' is invalid. It is empty.");
  },
);

test.each([
  ['http://127.0.0.1:19701', 'http://127.0.0.1:19701'],
  ['http://0.0.0.0:19701', 'http://127.0.0.1:19701'],
  ['http://[::]:19701', 'http://[::1]:19701'],
  ['http://192.0.2.7:80/', 'http://192.0.2.7:80'],
])('a proxy on %s is called at %s', (proxy, at) => {
  expect(reachable(proxy)).toBe(at);
});
