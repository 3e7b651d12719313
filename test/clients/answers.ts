/** What every client must get of an answer. */
import { expect } from 'vitest';
import { CITY } from './client.ts';
import { heard, type Promised, sent } from './scene.ts';

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const ANSWERS: readonly Promised[] = [
  {
    name: 'text streams piece by piece, and the usage is seen',
    async holds(scene) {
      const usage = { input: 11, output: 3 };
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Hel', 'lo', ' you'], usage });
      expect(got).toMatchObject({ text: 'Hello you', pieces: ['Hel', 'lo', ' you'], usage, ending: 'stop' });
      expect(sent(scene.nodes)).toContain('Say it.');
    },
  },
  {
    name: 'a whole answer has its text and its usage',
    needs: 'whole answers',
    async holds(scene) {
      const usage = { input: 11, output: 3 };
      const got = await heard(scene, { text: 'Say it.', isWhole: true }, { text: ['Hello'], usage });
      expect(got).toMatchObject({ text: 'Hello', usage, ending: 'stop' });
    },
  },
  {
    name: 'reasoning is shown, and is no part of the text',
    needs: 'reasoning',
    async holds(scene) {
      const said = { reasoning: ['It is ', 'wet.'], text: ['Rain.'] };
      const got = await heard(scene, { text: 'Weather?' }, said);
      expect(got).toMatchObject({ text: 'Rain.', reasoning: 'It is wet.' });
    },
  },
  {
    name: 'JSON of a schema: the upstream has the schema, the client the JSON',
    needs: 'JSON of a schema',
    async holds(scene) {
      const got = await heard(scene, { text: 'Where?', asJson: true }, { text: ['{"city":', '"Oslo"}'] });
      expect(JSON.parse(got.text)).toEqual({ city: 'Oslo' });
      const body = JSON.parse(sent(scene.nodes));
      const schema: unknown =
        scene.upstream === 'chat' ? body.response_format.json_schema.schema : body.text.format.schema;
      expect(schema).toMatchObject({ properties: CITY.properties, required: CITY.required });
    },
  },
  {
    name: 'an answer that is cut by its length says so',
    needs: 'length as an ending',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Half'], cutBy: 'length' });
      expect(got).toMatchObject({ text: 'Half', ending: 'length' });
    },
  },
  {
    name: 'an answer that a filter ended says so',
    needs: 'a filter as an ending',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { text: ['Half'], cutBy: 'content_filter' });
      expect(got).toMatchObject({ text: 'Half', ending: 'content_filter' });
    },
  },
  {
    name: 'a refusal is a refusal, not text',
    needs: 'refusals',
    async holds(scene) {
      const got = await heard(scene, { text: 'Say it.' }, { refusal: 'I will not.' });
      expect(got).toMatchObject({ refusal: 'I will not.', text: '' });
    },
  },
  {
    name: 'an image reaches the upstream',
    async holds(scene) {
      const got = await heard(scene, { text: 'What is it?', image: PIXEL }, { text: ['A pixel.'] });
      expect(got.text).toBe('A pixel.');
      expect(sent(scene.nodes)).toContain(`data:image/png;base64,${PIXEL}`);
    },
  },
];
