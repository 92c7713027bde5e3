import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { append, deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { fatal, poison, RefusingSink } from '../../test/support/refusingSink.js';
import type { Sink } from '../contracts/sink.js';
import { aimed } from '../contracts/sinkTarget.js';
import { writeTo } from '../operators/writeTo.js';
import { replayDeadLetters } from './index.js';

const folder = deadLetterFolder();

const TABLE = { table: 'x', schema: 'q', records: 'bar' };

/** Has a sink give something up, and returns what the letter says of it. */
async function sinkInLetterOf(sink: Sink<unknown>) {
  const queue = await folder.open();
  await lastValueFrom(of([1]).pipe(writeTo(sink, { deadLetters: queue })));
  return (await folder.letters())[0]?.sink;
}

function refusing(): RefusingSink {
  const sink = new RefusingSink();
  sink.refuses = () => poison;
  return sink;
}

describe('a letter belongs to the sink that gave it up', () => {
  it('and says its name, of a sink of the user', async () => {
    expect(await sinkInLetterOf(refusing())).toEqual({ name: 'test' });
  });

  it('and says its table', async () => {
    expect(await sinkInLetterOf(aimed(refusing(), TABLE))).toEqual({ name: 'test', ...TABLE });
  });

  it.each<[string, (sink: Sink<unknown>) => Sink<unknown>]>([
    ['a copy', (sink) => ({ ...sink, write: (batch) => sink.write(batch) })],
    ['an object that inherits from it', (sink) => Object.create(sink) as Sink<unknown>],
    ['a proxy', (sink) => new Proxy(sink, {})],
    ['a wrapper', (sink) => ({ name: sink.name, write: (batch) => sink.write(batch) })],
  ])('and not to a table that %s of its sink need not write to', async (_, wrap) => {
    expect(await sinkInLetterOf(wrap(aimed(refusing(), TABLE)))).toEqual({ name: 'test' });
  });

  it('through replays by other sinks, parking and a second opening', async () => {
    const queue = await folder.open();
    await lastValueFrom(of([1]).pipe(writeTo(aimed(refusing(), TABLE), { deadLetters: queue })));
    const other = { name: 'other', write: refusing().write };
    await lastValueFrom(replayDeadLetters(queue, { sink: { ...other, write: (batch) => refusing().write(batch) } }));
    await queue.park({});
    await queue.unpark({});
    await queue.close();
    await folder.open();
    expect(await folder.letters()).toMatchObject([{ sink: { name: 'test', ...TABLE } }]);
  });

  it('if it says so: letters of earlier versions, and of stages without a sink, are read without', async () => {
    const queue = await folder.open();
    await append(queue, [1]);
    await queue.close();
    writeFileSync(
      join(folder.path, '0000000000009.ndjson'),
      '{"v":1,"id":"0000000000009-1","count":1,"at":9,"pipeline":"p","stage":"s","reason":"poison","error":null,"attempts":1,' +
        '"replays":0,"kind":null,"values":"json","items":["old"]}\n',
    );
    const again = await folder.open();
    const letters = await folder.letters();
    expect(letters.map(({ items, sink }) => [items[0], sink])).toEqual([
      ['old', undefined],
      [1, undefined],
    ]);
    const sink = new RefusingSink();
    await lastValueFrom(replayDeadLetters(again, { sink }));
    expect(sink.taken).toEqual(['old', 1]);
  });
});

describe('mend', () => {
  it('changes items on their way, and a new letter holds them as they were', async () => {
    const queue = await folder.open();
    await append(queue, [{ n: 1 }, { n: 2 }, { n: 3 }], { stage: 'a' });
    const sink = new RefusingSink();
    sink.refuses = (item) => ((item as { n: number }).n === 20 ? poison : undefined);
    const progress = await lastValueFrom(
      replayDeadLetters<unknown>(queue, {
        sink,
        mend(item, letter) {
          const { n } = item as { n: number };
          if (n === 3) throw new Error('no idea');
          return { n: n * 10, stage: letter.stage };
        },
      }),
    );
    expect(progress).toMatchObject({ written: 1, failedAgain: 2 });
    expect(sink.taken).toEqual([{ n: 10, stage: 'a' }]);
    expect(
      (await folder.letters()).map(({ items, reason, error, attempts }) => [items, reason, error?.message, attempts]),
    ).toEqual([
      [[{ n: 3 }], 'mend', 'no idea', 1],
      [[{ n: 2 }], 'poison', expect.stringContaining('refused'), 2],
    ]);
  });

  it('that returns nothing has failed, and a letter of which nothing can be mended reaches no sink', async () => {
    const queue = await folder.open();
    await append(queue, [1, 2]);
    const sink = new RefusingSink();
    const mend = () => undefined;
    expect(await lastValueFrom(replayDeadLetters<unknown>(queue, { sink, mend }))).toMatchObject({ failedAgain: 2 });
    expect(sink.batches).toEqual([]);
    expect(await folder.letters()).toMatchObject([{ items: [1, 2], reason: 'mend', replays: 1 }]);
  });
});

describe('a letter that nobody works on any more can be had again', () => {
  const failing = [
    [
      'after a change that failed',
      async (queue: Awaited<ReturnType<typeof folder.open>>) => {
        let calls = 0;
        const where = () => {
          calls += 1;
          if (calls === 3) throw new Error('where');
          return true;
        };
        await expect(queue.purge({ where })).rejects.toThrow('where');
      },
    ],
    [
      'after a replay that failed',
      async (queue: Awaited<ReturnType<typeof folder.open>>) => {
        const sink = new RefusingSink();
        sink.refuses = () => fatal;
        await expect(lastValueFrom(replayDeadLetters(queue, { sink }))).rejects.toThrow();
      },
    ],
    [
      'after a replay with a limit',
      async (queue: Awaited<ReturnType<typeof folder.open>>) => {
        const sink = new RefusingSink();
        sink.refuses = () => poison;
        await lastValueFrom(replayDeadLetters(queue, { sink, limit: 2 }));
      },
    ],
  ] as const;

  it.each(failing)('%s', async (_, work) => {
    const queue = await folder.open({ segmentBytes: 1_024 });
    for (let n = 0; n < 10; n++) await append(queue, [n]);
    await work(queue);
    const sink = new RefusingSink();
    expect(await lastValueFrom(replayDeadLetters(queue, { sink }))).toMatchObject({ remaining: 0 });
    expect(new Set(sink.taken).size).toBe(10);
    expect(await folder.letters()).toEqual([]);
  });
});
