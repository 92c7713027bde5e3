import { describe, expect, it } from 'vitest';
import { append, deadLetterFolder, diversion } from '../../test/support/deadLetterFolder.js';
import type { DeadLetter, DeadLetterQueue, LetterFilter } from '../dead-letters/index.js';
import { batch } from '../operators/batch.js';
import { writeTo } from '../operators/writeTo.js';
import { memoryDeadLetters } from './memoryDeadLetters.js';

interface Opened {
  readonly queue: DeadLetterQueue<unknown>;
  readonly letters: (filter?: LetterFilter) => Promise<DeadLetter[]>;
}

const folder = deadLetterFolder();
let clock = 10;
const now = () => clock++;

/** What both kinds of queue promise. */
describe.each<[string, () => Promise<Opened>]>([
  ['on disk', async () => ({ queue: await folder.open({ now }), letters: (filter) => folder.letters(filter) })],
  [
    'in memory',
    async () => {
      const queue = memoryDeadLetters<unknown>({ now });
      return { queue, letters: async (filter) => queue.letters(filter) };
    },
  ],
])('dead letters %s', (_, open) => {
  it('keep items with what is known about them', async () => {
    const { queue, letters } = await open();
    await append(queue, [{ kind: 'bar', n: 1 }, { kind: 'news' }], { stage: 's', reason: 'exhausted', attempts: 3 });
    expect(await letters()).toEqual([
      expect.objectContaining({
        ...{ pipeline: 'test', stage: 's', reason: 'exhausted', attempts: 3, replays: 0, kind: 'mixed' },
        error: { name: 'Error', message: 'refused' },
        items: [{ kind: 'bar', n: 1 }, { kind: 'news' }],
      }),
    ]);
    expect(queue.stats()).toMatchObject({ open: { letters: 1, items: 2 }, appended: { letters: 1, items: 2 } });
    expect(queue.holding).toBeUndefined();
  });

  it('start nothing before they are subscribed, and finish what is unsubscribed', async () => {
    const { queue, letters } = await open();
    const letter = queue.append(diversion([1]));
    await append(queue, [2]);
    letter.subscribe().unsubscribe();
    await append(queue, [3]);
    expect((await letters()).map(({ items }) => items[0])).toEqual([2, 1, 3]);
  });

  it('keep what the items were when they were given up, and refuse what no letter holds', async () => {
    const { queue, letters } = await open();
    const item = { n: 1 };
    const done = append(queue, [item]);
    item.n = 2;
    await done;
    expect((await letters())[0]!.items).toEqual([{ n: 1 }]);
    await expect(append(queue, [{ f: () => {} }])).rejects.toThrow('items[0].f is a function');
    expect(await letters()).toHaveLength(1);
  });

  it('purge, park and unpark the letters that are meant, and no others', async () => {
    const { queue, letters } = await open();
    await append(queue, [{ kind: 'bar' }], { stage: 'a', reason: 'poison' });
    await append(queue, [{ kind: 'news' }], { stage: 'a', reason: 'exhausted' });
    await append(queue, [{ kind: 'bar' }], { stage: 'b', reason: 'exhausted' });
    const ages = async (filter: LetterFilter) => (await letters(filter)).map(({ at }) => at);
    const [first, second, third] = await ages({});
    expect(await ages({ kind: 'bar', stage: 'b' })).toEqual([third]);
    expect(await ages({ from: second!, to: third! })).toEqual([second]);
    expect(await queue.purge({ stage: 'b' })).toEqual({ letters: 1, items: 1 });
    expect(await queue.park({ reason: 'poison' })).toEqual({ letters: 1, items: 1 });
    expect(await ages({})).toEqual([second]);
    expect(await ages({ state: 'parked' })).toEqual([first]);
    expect(await queue.unpark({})).toEqual({ letters: 1, items: 1 });
    expect(await ages({})).toEqual([second, first]);
    expect((await letters())[1]).toMatchObject({ replays: 0, previous: expect.stringMatching(/^\d+-\d+$/) });
    expect(await queue.purge({})).toEqual({ letters: 2, items: 2 });
    expect(queue.stats()).toMatchObject({ open: { letters: 0, items: 0 }, purged: { letters: 3, items: 3 } });
    await expect((async () => queue.purge({ stagee: 'a' } as never))()).rejects.toThrow('unknown option "stagee"');
  });

  it('take nothing once they are closed', async () => {
    const { queue } = await open();
    await queue.close();
    await queue.close();
    await expect(append(queue, [1])).rejects.toMatchObject({ code: 'SLUICE_DEAD_LETTERS_CLOSED' });
  });
});

describe('dead letters in memory', () => {
  it('hold like a full disk: letters wait, and are taken in order when there is space', async () => {
    const queue = memoryDeadLetters<unknown>({ now: () => 5 });
    queue.hold();
    const waiting = [append(queue, [1, 2]), append(queue, [3])];
    expect(queue.holding).toMatchObject({ letters: 2, items: 3, sinceMs: 0, error: { code: 'ENOSPC' } });
    expect(queue.letters()).toEqual([]);
    queue.resume();
    await Promise.all(waiting);
    expect(queue.holding).toBeUndefined();
    expect(queue.letters().flatMap(({ items }) => items)).toEqual([1, 2, 3]);
  });

  it('fail what waits when they are closed, and everything on command', async () => {
    const queue = memoryDeadLetters<unknown>();
    queue.fail(new Error('broken'));
    await expect(append(queue, [1])).rejects.toThrow('broken');
    queue.hold();
    const waiting = append(queue, [1]);
    await queue.close();
    await expect(waiting).rejects.toMatchObject({ code: 'SLUICE_DEAD_LETTERS_CLOSED' });
  });

  it('lease letters to one caller, who settles or releases them', async () => {
    const queue = memoryDeadLetters<unknown>();
    for (const items of [[1, 2], [3, 4], [5]]) await append(queue, items);
    const lease = queue.lease();
    expect(lease.letters).toHaveLength(3);
    expect(queue.lease().letters).toEqual([]);
    expect(await queue.purge({})).toEqual({ letters: 0, items: 0 });
    const [first, second, third] = lease.letters;
    lease.ack(first!);
    expect(() => lease.ack(first!)).toThrow('was settled before');
    lease.nack(second!, new Error('no 4'), [4]);
    lease.release();
    expect(queue.letters()).toEqual([
      third,
      expect.objectContaining({
        items: [4],
        replays: 1,
        attempts: 2,
        previous: second!.id,
        error: { name: 'Error', message: 'no 4' },
      }),
    ]);
    expect(queue.stats()).toMatchObject({ open: { letters: 2, items: 2 }, replayed: { letters: 1, items: 3 } });
    expect(queue.lease({ ids: [third!.id] }).letters).toEqual([third]);
  });

  it('stand below a writer', async () => {
    const deadLetters = memoryDeadLetters<number>();
    const { of, lastValueFrom, throwError } = await import('rxjs');
    const sink = {
      name: 's',
      write: () => throwError(() => Object.assign(new Error('no'), { failureClass: 'poison' })),
    };
    await lastValueFrom(of(1).pipe(batch({ size: 1 }), writeTo<number>(sink, { deadLetters })));
    expect(deadLetters.letters()).toMatchObject([{ reason: 'poison', items: [1], sink: { name: 's' } }]);
  });
});
