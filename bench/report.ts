/** A run as tables of Markdown: what the terminal shows and what the page holds. */
import { floorsOf, type Goal, goalsOf, judge } from './goals.ts';
import { type MemoryRow, OPEN_STREAMS } from './memory.ts';
import { added, median, type Results, type Row, type Table } from './results.ts';
import type { Startup } from './startup.ts';
import { TARGETS, TITLES, type TargetName, YARDSTICK } from './target.ts';

export function goalsText(results: Results): string {
  const seen = (goal: Goal) => judge(goal).kind !== 'not measured';
  const floors = floorsOf(results)
    .filter(seen)
    .map((floor) => goalRow(floor, 'floor'));
  const goals = goalsOf(results)
    .filter(seen)
    .map((goal) => goalRow(goal, 'goal'));
  return table(['', 'of', 'figure', 'wanted', 'measured', 'verdict'], [...floors, ...goals]);
}

export function figuresText({ table: all, memory, startup }: Results): string {
  const parts = Object.entries(all).map(([scenario]) => `### ${scenario}\n\n${scenarioText(all, scenario)}`);
  if (memory.length > 0) parts.push(`### memory\n\n${memoryText(memory)}`);
  if (startup !== undefined) parts.push(`### start-up\n\n${startupText(startup)}`);
  return parts.join('\n\n');
}

export function brokenFloors(results: Results): readonly Goal[] {
  return floorsOf(results).filter((floor) => judge(floor).kind === 'missed');
}

function goalRow(goal: Goal, kind: 'floor' | 'goal'): string[] {
  const { of, what, value, sense, limit, unit } = goal;
  const verdict = judge(goal);
  const said = verdict.kind === 'missed' ? `**missed by ${percent(verdict.percent)}**` : verdict.kind;
  return [kind, of, what, `${sense} ${show(limit, unit)}`, show(value, unit), said];
}

const percent = (value: number) => (Number.isFinite(value) ? `${value.toFixed(0)} %` : 'any');

/** One row a target: each figure, what it adds to the direct one if it is a time, and its ratio to the yardstick. */
function scenarioText(all: Table, scenario: string): string {
  const rows = all[scenario] ?? {};
  const seen = TARGETS.flatMap((name) => (rows[name] === undefined ? [] : [[name, rows[name]] as const]));
  const names = Object.keys(seen[0]?.[1] ?? {});
  return table(
    ['', ...names],
    seen.map(([name, row]) => [
      TITLES[name],
      ...names.map((figure) => cell(all, scenario, name, row, figure)),
    ]),
  );
}

function cell(all: Table, scenario: string, name: TargetName, row: Row, figure: string): string {
  const value = show(median(row[figure] ?? []), '');
  const base = YARDSTICK[name];
  if (!figure.endsWith(' µs'))
    return value + ratio(median(row[figure] ?? []), median(all[scenario]?.[base]?.[figure] ?? []), name);
  const more = added(all, scenario, name, figure);
  if (name === 'direct' || Number.isNaN(more)) return value;
  return `${value} (${more < 0 ? '−' : '+'}${show(Math.abs(more), '')})${ratio(more, added(all, scenario, base, figure), name)}`;
}

/** Nothing where there is nothing to compare: the yardstick itself, or what is lost in the noise around zero. */
function ratio(value: number, base: number, name: TargetName): string {
  return YARDSTICK[name] !== name && value > 0 && base > 0 ? ` ${(value / base).toFixed(2)}×` : '';
}

function memoryText(rows: readonly MemoryRow[]): string {
  const heads = OPEN_STREAMS.flatMap((streams) => [`${streams} streams`, 'late of chunks']);
  return table(
    ['', 'process', 'idle', ...heads],
    rows.map(({ target, role, idleMb, mb, late }) => [
      TITLES[target],
      role,
      show(idleMb, 'MB'),
      ...OPEN_STREAMS.flatMap((streams) => [
        show(mb[streams] ?? Number.NaN, 'MB'),
        `${late[streams]?.late ?? '–'} of ${late[streams]?.chunks ?? '–'}`,
      ]),
    ]),
  );
}

function startupText({ alone, joined }: Startup): string {
  return table(
    ['from start to the first answer', 'median', 'slowest'],
    [
      ['one daemon alone', alone],
      ['joined, the model on the other node', joined],
    ].map(([name, values]) => [String(name), ...spread(values)]),
  );
}

function spread(values: unknown): string[] {
  const seconds = Array.isArray(values) ? values.map(Number) : [];
  return [show(median(seconds), 's'), show(Math.max(...seconds), 's')];
}

export function show(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–';
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return unit === '' || unit === '×' ? `${text}${unit}` : `${text} ${unit}`;
}

/** In columns, so that it reads as well on a terminal as on a page. */
function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) =>
    Math.max(3, head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
