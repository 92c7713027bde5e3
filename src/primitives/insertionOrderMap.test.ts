import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InsertionOrderMap } from './insertionOrderMap.js';

describe('InsertionOrderMap', () => {
  it('agrees with a plain Map whose front is looked up anew each time', () => {
    const action = fc.record({ verb: fc.constantFrom('put', 'delete', 'oldest', 'drop'), key: fc.nat(6) });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const map = new InsertionOrderMap<number, number>();
        const model = new Map<number, number>();
        actions.forEach(({ verb, key }, at) => {
          if (verb === 'put') {
            map.put(key, at);
            model.delete(key);
            model.set(key, at);
          } else if (verb === 'delete') {
            map.delete(key);
            model.delete(key);
          } else {
            const [oldest] = model;
            expect(map.oldest()).toEqual(oldest);
            if (verb === 'drop' && oldest) {
              map.delete(oldest[0]);
              model.delete(oldest[0]);
            }
          }
          expect(map.size).toBe(model.size);
          expect(map.get(key)).toBe(model.get(key));
        });
      }),
      { seed: 61, numRuns: 300 },
    );
  });
});
