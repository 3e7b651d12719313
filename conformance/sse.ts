/** The text of a stream as events, and events as the bytes that a server sends. */
import type { Dialect } from './case.ts';
import type { Event } from './short-forms.ts';

export function sseText(events: readonly Event[], dialect: Dialect): string {
  return events
    .map((event) => {
      if (typeof event === 'string') return `data: ${event}\n\n`;
      const name = dialect === 'responses' ? `event: ${String(event.type)}\n` : '';
      return `${name}data: ${JSON.stringify(event)}\n\n`;
    })
    .join('');
}
