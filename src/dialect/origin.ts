/** Whose answer is translated, as the messages of its errors name it: bytes that pass have their owner's words already. */
import type { Card } from '../core/card.ts';
import { ClawError } from '../core/errors.ts';
import { present } from './present.ts';

export class Origin {
  readonly provider: string;
  readonly #suffix: string;

  constructor({ provider }: Pick<Card, 'provider'>, model: string) {
    this.provider = provider;
    this.#suffix = ` (provider ${provider}, model ${model})`;
  }

  say(message: string): string {
    return `${message}${this.#suffix}`;
  }

  /** The same error with that behind its words. */
  named(thrown: unknown): ClawError {
    const error = ClawError.from(thrown, 'internal', 'the reply could not be translated');
    const { code, message, status, param, retryAfterSeconds, upstream } = error;
    const detail = { status, upstream, cause: thrown, ...present({ param, retryAfterSeconds }) };
    return new ClawError(code, this.say(message), detail);
  }
}
