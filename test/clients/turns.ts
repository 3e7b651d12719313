/** What every client must get of more than one turn: tools, reasoning that goes back, a conversation. */
import { expect } from 'vitest';
import { dataEvent, DONE } from '../support/openai-bodies.ts';
import { answers, raw } from '../support/scripted-upstream.ts';
import { EVENT_STREAM, heard, type Promised, scripted, sent } from './scene.ts';

const OSLO = { id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' };
const BERGEN = { id: 'call_2', name: 'get_weather', arguments: '{"city":"Bergen"}' };

/** Two calls, whose arguments come piece by piece in turns. */
const INTERLEAVED = [
  { index: 0, id: OSLO.id, type: 'function', function: { name: OSLO.name, arguments: '' } },
  { index: 1, id: BERGEN.id, type: 'function', function: { name: BERGEN.name, arguments: '{"city"' } },
  { index: 0, function: { arguments: '{"city":"Os' } },
  { index: 1, function: { arguments: ':"Bergen"}' } },
  { index: 0, function: { arguments: 'lo"}' } },
]
  .map((call) => chatChunk({ tool_calls: [call] }))
  .concat(chatChunk({}, 'tool_calls'), DONE)
  .join('');

function chatChunk(delta: object, finish_reason: string | null = null): string {
  const head = { id: 'chatcmpl-scripted', object: 'chat.completion.chunk', created: 0, model: 'scripted' };
  return dataEvent({ ...head, choices: [{ index: 0, delta, finish_reason }] });
}

export const TURNS: readonly Promised[] = [
  {
    name: 'a tool is called in a whole answer, its result goes back, the final answer comes',
    needs: 'whole answers',
    async holds(scene) {
      const question = {
        text: 'Weather?',
        weather: (city: string) => `rain in ${city}`,
        isWhole: true,
      } as const;
      const got = await heard(scene, question, { toolCalls: [OSLO] }, { text: ['Rain.'] });
      expect(got.text).toBe('Rain.');
      expect(sent(scene.nodes)).toContain('rain in Oslo');
    },
  },
  {
    name: 'two calls whose arguments come in turns are two calls, each with its own',
    // A server of Responses sends one item after the other.
    where: (_client, upstream) => upstream === 'chat',
    async holds({ client, place, nodes }) {
      const cities: string[] = [];
      const weather = (city: string) => {
        cities.push(city);
        return 'rain';
      };
      scripted(nodes, [raw({ headers: EVENT_STREAM }, INTERLEAVED), answers({ text: ['Rain.'] })]);
      const got = await client.ask(place, { text: 'Weather?', weather });
      expect(cities).toEqual(['Oslo', 'Bergen']);
      expect(got.text).toBe('Rain.');
    },
  },
  {
    name: 'two tools are called at once, their results go back, the final answer comes',
    async holds(scene) {
      const cities: string[] = [];
      const weather = (city: string) => {
        cities.push(city);
        return `rain in ${city}`;
      };
      const calls = { text: ['Let me look.'], toolCalls: [OSLO, BERGEN] };
      const final = { text: ['It rains', ' in both.'] };
      const got = await heard(scene, { text: 'Weather?', weather }, calls, final);
      expect(cities).toEqual(['Oslo', 'Bergen']);
      expect(got.text).toBe('It rains in both.');
      const parts = ['Weather?', 'Oslo', 'rain in Oslo', 'Bergen', 'rain in Bergen'];
      for (const part of parts) expect(sent(scene.nodes)).toContain(part);
      if (scene.client.abilities.includes('text beside its calls'))
        expect(sent(scene.nodes)).toContain('Let me look.');
      expect(callsIn(sent(scene.nodes))).toBe(callsIn(`${OSLO.id} ${OSLO.id} ${BERGEN.id} ${BERGEN.id}`));
    },
  },
  {
    name: "the upstream gets a model's reasoning back with the results of its tools",
    needs: 'reasoning of earlier turns',
    // A chat client has words only, and a Responses server takes none that are not its own.
    where: ({ api }, upstream) => api === 'responses' || upstream === 'chat',
    async holds(scene) {
      const calls = { reasoning: ['I have to look.'], toolCalls: [OSLO] };
      const got = await heard(scene, { text: 'Weather?', weather: () => 'rain' }, calls, { text: ['Rain.'] });
      expect(got.text).toBe('Rain.');
      expect(sent(scene.nodes)).toContain(
        scene.upstream === 'chat' ? '"reasoning_content":"I have to look."' : 'sealed-by-the-upstream',
      );
    },
  },
  {
    name: 'in a conversation of three turns the upstream knows all that was said',
    async holds(scene) {
      const question = { text: 'I am Ada.', andThen: ['I like tea.', 'Who am I?'] };
      const said = [{ text: ['Hello Ada.'] }, { text: ['Noted.'] }, { text: ['Ada.'] }];
      const got = await heard(scene, question, ...said);
      expect(got.text).toBe('Ada.');
      for (const part of ['I am Ada.', 'Hello Ada.', 'I like tea.', 'Noted.', 'Who am I?'])
        expect(sent(scene.nodes)).toContain(part);
    },
  },
  {
    name: 'what a client only refers to is known to the upstream, with its tools and its reasoning',
    needs: 'references',
    async holds(scene) {
      const question = { text: 'I am Ada.', andThen: ['And now?'], weather: () => 'rain', byReference: true };
      const calls = { reasoning: ['I have to look.'], toolCalls: [OSLO] };
      const said = [calls, { text: ['Rain for Ada.'] }, { text: ['Still rain.'] }];
      const got = await heard(scene, { ...question, byReference: true }, ...said);
      expect(got.text).toBe('Still rain.');
      expect(sent(scene.nodes)).toContain('And now?');
      // Its own ids mean something to a server that keeps what it said.
      if (scene.upstream === 'responses')
        return expect(sent(scene.nodes)).toMatch(/"resp_scripted"|"item_reference"/);
      for (const part of ['I am Ada.', 'Oslo', '"rain"', 'Rain for Ada.'])
        expect(sent(scene.nodes)).toContain(part);
    },
  },
];

/** Which of the two calls are named there, and how often: their punctuation is the client's own. */
function callsIn(text: string): string {
  return (text.match(/call_?\d/g) ?? [])
    .map((id) => id.replace('_', ''))
    .sort()
    .join();
}
