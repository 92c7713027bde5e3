import type { EntryFormat } from '../../src/disk/log/entryFormat.js';

/** An entry that is no dead letter: how far a source was read, as a checkpoint says. */
export interface SourcePosition {
  readonly source: string;
  readonly offset: number;
}

/** Lines such as `{"n":7,"source":"a","offset":12}`. The weight of an entry is its offset. */
export const positionFormat: EntryFormat<SourcePosition> = {
  encode: ({ source, offset }) => {
    const rest = `${JSON.stringify({ source, offset }).slice(1)}\n`;
    return { rest, bytes: Buffer.byteLength(rest) + 24, weight: offset };
  },
  head: (_, ordinal) => `{"n":${ordinal},`,
  // Its lines are short: reading one to its end costs no more than reading its beginning.
  headOf: () => undefined,
  parse(line) {
    try {
      const { n, source, offset, v } = JSON.parse(Buffer.from(line).toString()) as Record<string, unknown>;
      if (typeof v === 'number') return { is: 'unknownVersion', version: v };
      if (typeof n === 'number' && typeof source === 'string' && typeof offset === 'number') {
        return { is: 'entry', ordinal: n, weight: offset, value: { source, offset } };
      }
    } catch {}
    return { is: 'corrupt', reason: 'it is no position' };
  },
};
