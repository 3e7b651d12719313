/** All dialects, as `dialects.ts` would list them with one more. */
import { shapes } from '../../src/dialect/dialects.ts';
import { toy } from './toy.ts';
import { TOY } from './toy-wire.ts';

export const shapesWithToy = { ...shapes, [TOY]: toy };
