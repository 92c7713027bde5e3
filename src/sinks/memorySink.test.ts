import { from, lastValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memorySink } from './memorySink.js';

describe('memorySink', () => {
  it('keeps items and batches, at each subscription and not before', async () => {
    const sink = memorySink<number>();
    const writing = from(sink.write([1, 2]));
    expect(sink.items).toEqual([]);
    expect(await lastValueFrom(writing)).toEqual({ rows: 2 });
    await lastValueFrom(from(sink.write([3])));
    await lastValueFrom(writing);
    expect(sink.items).toEqual([1, 2, 3, 1, 2]);
    expect(sink.batches).toEqual([[1, 2], [3], [1, 2]]);
  });

  it('has the name and the key it is given', () => {
    expect(memorySink()).toMatchObject({ name: 'memory' });
    expect('keyOf' in memorySink()).toBe(false);
    const keyOf = (item: { id: string }) => item.id;
    expect(memorySink({ name: 'mine', keyOf })).toMatchObject({ name: 'mine', keyOf });
  });

  it('refuses unknown options', () => {
    expect(() => memorySink({ nmae: 'x' } as object)).toThrow(RangeError);
    expect(() => memorySink({ keyOf: 'id' } as object)).toThrow('keyOf must be a function');
  });
});
