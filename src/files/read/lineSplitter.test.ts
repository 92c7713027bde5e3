import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, OverlongLine } from './lineSplitter.js';

function split(chunks: readonly Buffer[], maxBytes = 1_000) {
  const splitter = new LineSplitter(maxBytes);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe('LineSplitter', () => {
  it('gives the same lines however the bytes are cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', '"', ',', ' ', 'é', 'Ж', '€', '😀'), maxLength: 12 });
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.boolean(), cuts, (lines, end, hasMark, places) => {
        const bytes = Buffer.from((hasMark ? '\uFEFF' : '') + lines.map((one) => one + end).join(''));
        const sorted = [0, ...places.map((place) => Math.min(place, bytes.length)), bytes.length].sort((a, b) => a - b);
        const chunks = sorted.slice(1).map((place, i) => bytes.subarray(sorted[i], place));
        expect(split(chunks)).toEqual(lines.map((one) => one + end.slice(0, -1)));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('takes what stands behind the last line end as a line', () => {
    expect(split([Buffer.from('a\nb')])).toEqual(['a', 'b']);
    expect(split([Buffer.from('a\n\n')])).toEqual(['a', '']);
    expect(split([])).toEqual([]);
  });

  it('does not swallow a character that the end of the file cuts in two', () => {
    expect(split([Buffer.from('a\nb'), Buffer.from('€').subarray(0, 2)])).toEqual(['a', 'b\uFFFD']);
    expect(split([Buffer.from('a\n'), Buffer.from('€').subarray(0, 1)])).toEqual(['a', '\uFFFD']);
  });

  it('keeps the beginning of a line that is too long, and goes on behind it', () => {
    const lines = split([
      Buffer.from(`${'x'.repeat(500)}`),
      Buffer.from(`${'x'.repeat(600)}\ngood\n${'y'.repeat(1_001)}`),
    ]);
    expect(lines).toEqual([new OverlongLine('x'.repeat(256), 1_000), 'good', new OverlongLine('y'.repeat(256), 1_000)]);
    expect(split([Buffer.from('x'.repeat(1_000))])).toEqual(['x'.repeat(1_000)]);
    expect(split([Buffer.from(`${'x'.repeat(1_000)}\r\n`)])).toEqual([`${'x'.repeat(1_000)}\r`]);
  });

  it('does not hold a line without an end: one longer than a string can be', () => {
    const splitter = new LineSplitter(1_000);
    const chunk = Buffer.alloc(4 * 1024 * 1024, 'x');
    for (let i = 0; i < 140; i++) expect(splitter.push(chunk)).toEqual([]);
    expect(splitter.push(Buffer.from('\nnext\n'))).toEqual([new OverlongLine('x'.repeat(256), 1_000), 'next']);
  });
});
