import { expect, test } from 'vitest';
import { Budget } from '../../src/lib/budget.ts';

test('a budget gives out its last byte and not one more, and what comes back can be taken again', () => {
  const budget = new Budget(10);
  expect(budget.take(10)).toBe(true);
  expect(budget.take(1)).toBe(false);
  expect(budget.take(0)).toBe(true);
  budget.give(4);
  expect(budget.usedBytes).toBe(6);
  expect(budget.take(5)).toBe(false);
  expect(budget.take(4)).toBe(true);
});

test('a refusal takes nothing', () => {
  const budget = new Budget(10);
  budget.take(6);
  expect(budget.take(5)).toBe(false);
  expect(budget.usedBytes).toBe(6);
});

test('giving back more than was taken is an error: somewhere something is counted twice', () => {
  const budget = new Budget(10);
  budget.take(3);
  expect(() => budget.give(4)).toThrow('only 3 are taken');
  expect(budget.usedBytes).toBe(3);
});
