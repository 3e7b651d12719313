/** What a run has measured: every round's value of every figure, and how to look at them. */
import type { Machine } from './machine.ts';
import type { MemoryRow } from './memory.ts';
import type { Startup } from './startup.ts';
import type { TargetName } from './target.ts';

export interface Results {
  readonly machine: Machine;
  readonly rounds: number;
  readonly ms: number;
  /** By scenario, target and figure: one value a round. */
  readonly table: Table;
  readonly memory: readonly MemoryRow[];
  readonly startup: Startup | undefined;
}

export type Row = Record<string, number[]>;
export type Table = Record<string, Partial<Record<TargetName, Row>>>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The median over the rounds; not a number where it was not measured. */
export function figure(table: Table, scenario: string, target: TargetName, name: string): number {
  return median(table[scenario]?.[target]?.[name] ?? []);
}

/** What the target adds to the same round's direct figure: the median of the differences. */
export function added(table: Table, scenario: string, target: TargetName, name: string): number {
  const direct = table[scenario]?.direct?.[name] ?? [];
  const values = table[scenario]?.[target]?.[name] ?? [];
  return median(values.map((value, round) => value - (direct[round] ?? Number.NaN)));
}

export function add(
  table: Table,
  scenario: string,
  target: TargetName,
  values: Readonly<Record<string, number>>,
): void {
  const row = ((table[scenario] ??= {})[target] ??= {});
  for (const [name, value] of Object.entries(values)) (row[name] ??= []).push(value);
}
