/** Reads the events that we write, as the most naive of clients would: line feeds only, one data line an event. */

/** Throws at anything that our own writers must not send. */
export function sseEvents(text: string): { name: string | undefined; data: string }[] {
  if (text === '') return [];
  if (!text.endsWith('\n\n')) throw new Error('the text does not end at an event border');
  if (text.includes('\r')) throw new Error('a carriage return');
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((event) => {
      const match = /^(?:event: (.+)\n)?data: (.+)$/.exec(event);
      if (match === null) throw new Error(`not an event as we write them: ${event}`);
      return { name: match[1], data: match[2] ?? '' };
    });
}

/**
 * The JSON of each event of a stream as a client gets it, `[DONE]` as it is, without comments. An event that has a type
 * is called by it, any other has no name.
 */
export function clientEvents(text: string): readonly unknown[] {
  const told = text
    .split('\n\n')
    .filter((block) => !block.startsWith(':'))
    .join('\n\n');
  return sseEvents(told).map(({ name, data }) => {
    if (data === '[DONE]' && name === undefined) return data;
    const event: unknown = JSON.parse(data);
    if (typeOf(event) !== name) throw new Error(`the event's name is ${name}, its data ${data}`);
    return event;
  });
}

function typeOf(event: unknown): unknown {
  return typeof event === 'object' && event !== null ? Reflect.get(event, 'type') : undefined;
}

/** The JSON of each event of a Responses stream; its name must be its type. `[DONE]` may only be the last. */
export function responsesEvents(text: string): unknown[] {
  const events = sseEvents(text);
  if (events.at(-1)?.data === '[DONE]') events.pop();
  return events.map(({ name, data }) => {
    const event: unknown = JSON.parse(data);
    const type = typeOf(event);
    if (type !== name) throw new Error(`the event's name is ${name}, its type ${String(type)}`);
    return event;
  });
}
