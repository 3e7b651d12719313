/** A client's text as the JSON object that it has to be. */
import { ClawError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../lib/json.ts';
import { jsonFault } from './json-fault.ts';

/** `what`: as an error names it. Throws `invalid_json`, which says where the text stops being JSON, or `bad_request`. */
export function readJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column, expected } = jsonFault(text);
    const where = `line ${line}, column ${column}: expected ${expected}`;
    throw new ClawError('invalid_json', `${what} is not valid JSON at ${where}`);
  }
  if (isObject(value)) return value;
  throw new ClawError('bad_request', `${what} must be a JSON object`);
}
