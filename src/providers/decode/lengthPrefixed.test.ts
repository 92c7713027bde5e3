import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LengthPrefixed } from './lengthPrefixed.js';

function framed(body: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(body.length);
  return Buffer.concat([prefix, body]);
}

it('gives each message whole, wherever chunks end', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(bodies, cuts, (all, sizes) => {
      const bytes = Buffer.concat(all.map(framed));
      const messages = new LengthPrefixed(20);
      const whole: Buffer[] = [];
      let at = 0;
      for (let step = 0; at < bytes.length; step += 1) {
        const size = sizes[step % sizes.length]!;
        whole.push(...messages.push(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(whole).toEqual(all.map(framed));
    }),
  );
});

it.each([0, 21, 0xfffffffc])('refuses a length of %i', (length) => {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(length);
  expect(() => new LengthPrefixed(20).push(prefix)).toThrow(`a message of ${length} bytes, expected from 1 to 20`);
});
