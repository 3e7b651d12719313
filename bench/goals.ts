/** What the figures have to be: floors, that break the run, and goals, that are told with what is short. */
import { type MemoryRow, OPEN_STREAMS } from './memory.ts';
import { added, figure, median, type Results, type Table } from './results.ts';
import { NAMES, PACED, smallName, streamName, translatedName } from './scenario.ts';
import { TITLES, type TargetName, YARDSTICK } from './target.ts';

export interface Goal {
  readonly of: string;
  readonly what: string;
  readonly value: number;
  readonly sense: 'at least' | 'at most';
  readonly limit: number;
  /** Behind the figures; empty for a mere ratio. */
  readonly unit: string;
}

export type Verdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'missed'; readonly percent: number }
  | { readonly kind: 'not measured' };

export function judge({ value, sense, limit }: Goal): Verdict {
  if (Number.isNaN(value)) return { kind: 'not measured' };
  if (sense === 'at least' ? value >= limit : value <= limit) return { kind: 'met' };
  return { kind: 'missed', percent: limit === 0 ? Infinity : (Math.abs(value - limit) / limit) * 100 };
}

/** Under these the run fails. */
export function floorsOf({ table }: Results): Goal[] {
  return [
    ratio(table, 'two', smallName(16), NAMES.requests, 0.5),
    ratio(table, 'two', streamName(32), NAMES.chunks, 0.6),
  ];
}

export function goalsOf(results: Results): Goal[] {
  const { table, memory, startup } = results;
  const ours = memory.filter(({ target }) => target === 'two');
  return [
    ...twoDaemons(table),
    ...oneDaemon(table),
    ...ours.flatMap(memoryOf),
    // The same streams pass both.
    ...ours.slice(0, 1).map(lateOf),
    most('start-up', 'alone, from start to the first answer', median(startup?.alone ?? []), 0.7, 's'),
    most('start-up', 'joined and routable', median(startup?.joined ?? []), 2, 's'),
  ];
}

function twoDaemons(table: Table): Goal[] {
  const at1 = smallName(1);
  const overPipe =
    added(table, at1, 'two', NAMES.p99) / 1_000 - added(table, at1, 'pipe2', NAMES.p99) / 1_000;
  const overPortkey =
    figure(table, smallName(16), 'two', NAMES.requests) /
    figure(table, smallName(16), 'portkey', NAMES.requests);
  return [
    ratio(table, 'two', smallName(16), NAMES.requests, 0.8),
    least(TITLES.two, `${NAMES.requests}, ${smallName(16)}, over Portkey's single hop`, overPortkey, 5, '×'),
    addedRatio(table, 'two', at1, NAMES.p50, 1.5),
    most(TITLES.two, `added ${NAMES.p99.replace(' µs', '')}, ${at1}, above the pipes'`, overPipe, 1, 'ms'),
    addedRatio(table, 'two', streamName(1), NAMES.first50, 1.5),
    ratio(table, 'two', streamName(32), NAMES.chunks, 0.85),
    ratio(table, 'two', streamName(256), NAMES.chunks, 0.85),
    cpuRatio(table, 'two', 1.4),
    ...(['chat', 'responses'] as const).map((client) => translated(table, client)),
    most(
      TITLES.two,
      `added ${NAMES.delay50.replace(' µs', '')}, ${PACED}`,
      added(table, PACED, 'two', NAMES.delay50),
      150,
      'µs',
    ),
    most(
      TITLES.two,
      `added ${NAMES.delay99.replace(' µs', '')}, ${PACED}`,
      added(table, PACED, 'two', NAMES.delay99) / 1_000,
      3,
      'ms',
    ),
  ];
}

/** A local model: 0.8 of the pipe in all, and so 1.25 of what the pipe costs. */
function oneDaemon(table: Table): Goal[] {
  return [
    ratio(table, 'one', smallName(16), NAMES.requests, 0.8),
    addedRatio(table, 'one', smallName(1), NAMES.p50, 1.25),
    addedRatio(table, 'one', streamName(1), NAMES.first50, 1.25),
    ratio(table, 'one', streamName(32), NAMES.chunks, 0.8),
    ratio(table, 'one', streamName(256), NAMES.chunks, 0.8),
    cpuRatio(table, 'one', 1.25),
  ];
}

function memoryOf({ role, idleMb, mb }: MemoryRow): Goal[] {
  const [some, many] = OPEN_STREAMS;
  const perStream = (((mb[some] ?? Number.NaN) - idleMb) * 1_024) / some;
  return [
    most(role, 'resident memory, idle', idleMb, 90, 'MB'),
    most(role, `memory above idle for each of ${some} open streams`, perStream, 40, 'KiB'),
    most(role, `resident memory, ${many} open streams`, mb[many] ?? Number.NaN, 180, 'MB'),
  ];
}

function lateOf({ late }: MemoryRow): Goal {
  const worst = Math.max(...OPEN_STREAMS.map((streams) => late[streams]?.late ?? Number.NaN));
  return most(TITLES.two, 'chunks that came late with open streams', worst, 0, '');
}

function ratio(table: Table, target: TargetName, scenario: string, name: string, limit: number): Goal {
  const value = figure(table, scenario, target, name) / figure(table, scenario, YARDSTICK[target], name);
  return least(TITLES[target], `${name}, ${scenario}`, value, limit, '×');
}

function addedRatio(table: Table, target: TargetName, scenario: string, name: string, limit: number): Goal {
  const value = added(table, scenario, target, name) / added(table, scenario, YARDSTICK[target], name);
  return most(TITLES[target], `added ${name.replace(' µs', '')}, ${scenario}`, value, limit, '×');
}

function cpuRatio(table: Table, target: TargetName, limit: number): Goal {
  const at32 = streamName(32);
  const value =
    figure(table, at32, target, NAMES.cpuChunk) / figure(table, at32, YARDSTICK[target], NAMES.cpuChunk);
  return most(TITLES[target], `CPU a chunk, ${at32}`, value, limit, '×');
}

/** Against the pipes, that pass the same number of tokens untouched. */
function translated(table: Table, client: 'chat' | 'responses'): Goal {
  const value =
    figure(table, translatedName(client), 'two', NAMES.chunks) /
    figure(table, streamName(32), 'pipe2', NAMES.chunks);
  return least(TITLES.two, `${NAMES.chunks}, ${translatedName(client)}`, value, 0.35, '×');
}

function least(of: string, what: string, value: number, limit: number, unit: string): Goal {
  return { of, what, value, sense: 'at least', limit, unit };
}

function most(of: string, what: string, value: number, limit: number, unit: string): Goal {
  return { of, what, value, sense: 'at most', limit, unit };
}
