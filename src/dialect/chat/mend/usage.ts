/** Where the usage of an answer is told. */
import { isObject, type JsonObject } from '../../../lib/json.ts';

/** Usage inside of a choice, as Moonshot tells it, where it is not told of the whole. */
export function usageOf({ usage }: JsonObject, choices: readonly unknown[]): JsonObject {
  if (isObject(usage)) return {};
  const told = choices.find((choice) => isObject(choice) && isObject(choice.usage));
  return isObject(told) ? { usage: told.usage } : {};
}
