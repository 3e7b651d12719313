/** The house's own rules: which folder may know which, and who alone may touch the world outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../src/', import.meta.url));

/** What each folder may import beside itself, and why it may not know more. */
const ARROWS: Record<string, { may: readonly string[]; why: string }> = {
  lib: { may: [], why: 'lib has no word of the domain: it could serve any daemon' },
  core: { may: ['lib'], why: 'core is the language that all others share, so it can depend on none of them' },
  config: { may: ['core', 'lib'], why: 'configuration is read before any part of the daemon exists' },
  protocol: {
    may: ['core', 'lib'],
    why: 'the wire is bytes and shapes: it does no I/O and takes no decision',
  },
  dialect: { may: ['core', 'lib'], why: 'an API shape must not depend on how its bytes travel' },
  mesh: {
    may: ['protocol', 'core', 'lib'],
    why: 'what crosses the mesh is bytes: no node on the way may read a dialect',
  },
  routing: {
    may: ['core', 'lib'],
    why: 'routing decides among targets and never sees a socket or a dialect',
  },
  upstream: {
    may: ['dialect', 'core', 'lib'],
    why: 'an upstream does not know whether a neighbour or this node asks',
  },
  history: {
    may: ['dialect', 'core', 'lib'],
    why: 'what is remembered is bytes and who told them: neither the edge nor the mesh is known to it',
  },
  http: { may: ['dialect', 'core', 'lib'], why: 'the edge must not know that peers exist' },
  control: { may: ['core', 'lib'], why: 'the control socket shows views that are handed in' },
  cli: {
    may: ['control', 'config', 'daemon', 'core', 'lib'],
    why: 'the command line talks to a running daemon through control',
  },
  daemon: {
    may: [
      'config',
      'control',
      'core',
      'dialect',
      'history',
      'http',
      'lib',
      'mesh',
      'protocol',
      'routing',
      'upstream',
    ],
    why: 'daemon.ts wires everyone but the command line, which starts it',
  },
};

/** A package or a name of the runtime that one file alone may use. */
const SOLE: readonly { what: string; pattern: RegExp; file: string; why: string }[] = [
  {
    what: 'ws',
    pattern: /from 'ws'/,
    file: 'lib/socket.ts',
    why: 'its caps and its quirks are kept in one place',
  },
  {
    what: 'undici',
    pattern: /from 'undici'/,
    file: 'upstream/agent.ts',
    why: 'its timeouts are off, and only there',
  },
  {
    what: 'pino',
    pattern: /from 'pino'/,
    file: 'lib/log.ts',
    why: 'no line leaves without being scrubbed of secrets',
  },
  {
    what: 'timers and clocks',
    pattern: /\b(setTimeout|setInterval|setImmediate|Date\.now|performance\.now|new Date\(\))/,
    file: 'lib/clock.ts',
    why: 'time comes in from outside, so that tests can hold it',
  },
];

/** What a simulation could not hold: it would run outside of the order that the clock gives. */
const UNHELD = /\b(queueMicrotask|setImmediate|Promise\.race|process\.nextTick|Math\.random|subtle)\b/;
const HELD_FOLDERS = ['mesh', 'routing', 'protocol'];

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort();
const textOf = (file: string) => readFileSync(join(src, file), 'utf8');
/** Without comments, which may well speak of what is banned. */
const codeOf = (file: string) => textOf(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
const folderOf = (file: string) => file.split('/')[0]?.replace(/\.ts$/, '') ?? '';

function importsOf(file: string): string[] {
  const found = codeOf(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, path]) => relative(src, join(src, dirname(file), path ?? '')));
}

test('every folder of src has its row, and every row its folder', () => {
  expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(ARROWS).sort());
});

describe.each(Object.entries(ARROWS))('%s', (folder, { may, why }) => {
  const own = files.filter((file) => folderOf(file) === folder);

  test(`imports only ${may.join(', ') || 'itself'}: ${why}`, () => {
    const strays = own.flatMap((file) =>
      importsOf(file)
        .filter((target) => folderOf(target) !== folder && !may.includes(folderOf(target)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(strays).toEqual([]);
  });
});

test.each(SOLE)('only $file uses $what: $why', ({ pattern, file }) => {
  expect(files.filter((one) => one !== file && pattern.test(codeOf(one)))).toEqual([]);
  expect(codeOf(file)).toMatch(pattern);
});

test('what a simulation cannot hold is not used in mesh, routing and protocol', () => {
  const strays = files.filter((file) => HELD_FOLDERS.includes(folderOf(file)) && UNHELD.test(codeOf(file)));
  expect(strays).toEqual([]);
});

test('no file imports itself over others', () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) cycles.push([...way.slice(at), file].join(' > '));
    if (at >= 0 || done.has(file)) return;
    for (const target of importsOf(file)) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(cycles).toEqual([]);
});

test('every file says first what it owns', () => {
  expect(files.filter((file) => !/^(#!.*\n)?\/\*\*/.test(textOf(file)))).toEqual([]);
});

test('no cast but for a brand, no any, no ignored error of the compiler', () => {
  const strays = files.flatMap((file) => {
    const bare = textOf(file).match(/@ts-\w+/g) ?? [];
    const casts = expressionsOf(file).match(/\bas (?!const\b|[A-Z]\w*Id\b)[\w<[{(]+|: any\b|<any>/g) ?? [];
    return [...bare, ...casts].map((found) => `${file}: ${found}`);
  });
  expect(strays).toEqual([]);
});

/** The code without comments, imports (`x as y` is a rename there), mapped types and text in quotes. */
function expressionsOf(file: string): string {
  const statements = codeOf(file).replaceAll(/^(import|export) [^;]*?from '[^']*';/gm, '');
  const bare = statements.replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''");
  // A mapped type renames its keys with the same word.
  return bare.replaceAll(/\bin keyof \w+ as\b/g, '');
}
