/** A whole item as the events of a stream: for answers that an upstream told only at the end. */
import type { HubDelta, HubItemHead } from './hub.ts';
import type { HubItem } from './hub-item.ts';
import { present } from './present.ts';

export function headOf(item: Exclude<HubItem, { kind: 'hosted' }>): HubItemHead {
  switch (item.kind) {
    case 'reasoning':
      return { kind: 'reasoning' };
    case 'message':
      return { kind: 'message', ...present({ phase: item.phase }) };
    case 'call': {
      const { kind, call, callId, name, namespace } = item;
      return { kind, call, callId, name, ...present({ namespace }) };
    }
  }
}

function deltasOf(item: HubItem): readonly HubDelta[] {
  switch (item.kind) {
    case 'hosted':
      return [];
    case 'call':
      return [{ type: 'input', text: item.input }];
    case 'reasoning':
      if (item.summary.length === 0)
        return item.text === '' ? [] : [{ type: 'reasoning', of: 'text', text: item.text }];
      return item.summary.flatMap((text, index): HubDelta[] => [
        ...(index === 0 ? [] : [{ type: 'reasoning_break' } as const]),
        { type: 'reasoning', of: 'summary', text },
      ]);
    case 'message':
      return item.parts.flatMap((part): HubDelta[] => {
        if (part.kind === 'refusal') return [{ type: 'refusal', text: part.text }];
        const { text, logprobs, annotations } = part;
        return [
          ...(text === '' ? [] : [{ type: 'text', text, logprobs } as const]),
          ...annotations.map((annotation) => ({ type: 'annotation', annotation }) as const),
        ];
      });
  }
}

export interface Told {
  /** All text; undefined where it is not known any more. */
  readonly told: string | undefined;
  readonly annotations: number;
  readonly logprobs: number;
}

/** What of an item is still to be told, where so much of it was; nothing where its text was another one. */
export function untold(item: HubItem, { told, annotations, logprobs }: Told): readonly HubDelta[] {
  const all = deltasOf(item);
  const text = all.map((delta) => ('text' in delta ? delta.text : '')).join('');
  if (told === undefined || !text.startsWith(told)) return [];
  let charsToldLeft = told.length;
  let annotationsToldLeft = annotations;
  return all.flatMap((delta): readonly HubDelta[] => {
    if (delta.type === 'annotation') return annotationsToldLeft-- > 0 ? [] : [delta];
    if (!('text' in delta)) return charsToldLeft > 0 ? [] : [delta];
    const known = Math.min(charsToldLeft, delta.text.length);
    charsToldLeft -= known;
    if (known === delta.text.length) return logprobs === 0 ? logprobsAlone(delta) : [];
    if (known === 0) return [delta];
    const rest = { ...delta, text: delta.text.slice(known) };
    // They belong to tokens, and which of these were told is not known.
    return [rest.type === 'text' ? { ...rest, logprobs: [] } : rest];
  });
}

/** Some servers give them with the whole text alone. */
function logprobsAlone(delta: HubDelta): readonly HubDelta[] {
  return delta.type === 'text' && delta.logprobs.length > 0 ? [{ ...delta, text: '' }] : [];
}
