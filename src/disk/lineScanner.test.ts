import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DiskFile } from './disk.js';
import { scanLines } from './lineScanner.js';

/** A file in memory that gives no more than `most` bytes at a time. */
function fileOf(bytes: Buffer, most = Number.POSITIVE_INFINITY): Pick<DiskFile, 'read'> {
  return {
    read: async (buffer, position) =>
      bytes.copy(buffer, 0, position, Math.min(bytes.length, position + Math.min(buffer.length, most))),
  };
}

async function scan(bytes: Buffer, maxLineBytes: number, most?: number) {
  const lines: { offset: number; length: number; text: string | undefined; isEnded: boolean }[] = [];
  for await (const { bytes: line, ...rest } of eachLine(scanLines(fileOf(bytes, most) as DiskFile, maxLineBytes))) {
    lines.push({ ...rest, text: line?.toString('latin1') });
  }
  return lines;
}

async function* eachLine<L>(blocks: AsyncIterable<readonly L[]>): AsyncGenerator<L> {
  for await (const block of blocks) yield* block;
}

describe('scanLines', () => {
  it('gives each line with its place, and the last without its end', async () => {
    expect(await scan(Buffer.from('ab\n\ncdef\ng'), 3)).toEqual([
      { offset: 0, length: 3, text: 'ab', isEnded: true },
      { offset: 3, length: 1, text: '', isEnded: true },
      { offset: 4, length: 5, text: undefined, isEnded: true },
      { offset: 9, length: 1, text: 'g', isEnded: false },
    ]);
    expect(await scan(Buffer.alloc(0), 3)).toEqual([]);
  });

  it('finds what a split finds, however the bytes come', async () => {
    const line = fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), fc.constant('x'.repeat(40)));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        async (lines, isEnded, max, most) => {
          const text = lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : '');
          const expected: unknown[] = [];
          let offset = 0;
          for (const [i, part] of text.split('\n').entries()) {
            const hasEnd = i < text.split('\n').length - 1;
            const length = part.length + (hasEnd ? 1 : 0);
            if (length > 0)
              expected.push({ offset, length, text: part.length > max ? undefined : part, isEnded: hasEnd });
            offset += length;
          }
          expect(await scan(Buffer.from(text), max, most)).toEqual(expected);
        },
      ),
      { seed: 20_261_125, numRuns: 300 },
    );
  });

  it('takes a line that is longer than its buffer, and holds none that is too long', async () => {
    const long = 'y'.repeat(1_000_000);
    expect((await scan(Buffer.from(`${long}\nz\n`), 2_000_000)).map(({ text }) => text?.length)).toEqual([
      1_000_000, 1,
    ]);
    expect(await scan(Buffer.from(`a\n${long}\nz\n`), 1_000)).toMatchObject([
      { text: 'a' },
      { offset: 2, length: 1_000_001, text: undefined },
      { offset: 1_000_003, text: 'z' },
    ]);
  });
});
