import { statSync, utimesSync } from 'node:fs';
import { EMPTY, finalize, lastValueFrom, NEVER, Subject, throwError, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { csv, replay, row } from '../../test/support/barFiles.js';
import { observe, settled, turnsUntil } from '../../test/support/collect.js';
import { deadLetterFolder } from '../../test/support/deadLetterFolder.js';
import { letterBox } from '../../test/support/diversions.js';
import { Folder } from '../../test/support/folder.js';
import { Gate } from '../flow/gate.js';
import { type BadRow, replayFile } from './replayFile.js';

let folder: Folder;

beforeEach(() => {
  folder = new Folder();
});

afterEach(() => folder.remove());

describe('badRows', () => {
  const stored = deadLetterFolder();
  const mixed = () => folder.write('mixed.csv', csv(row(1), 'acme,SPY,1m,0,1,2,0.5,abc,1', row(2), 'x'));

  it('keeps a refused row with its file, line, text and what is wrong with it', async () => {
    const path = mixed();
    const badRows = await stored.open();
    const told: BadRow[] = [];
    const seen = observe(replayFile(path, { badRows, name: 'prices', onBadRow: (one) => told.push(one) }));
    await seen.ended;
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(seen.items).toHaveLength(2);
    expect(told.map(({ line }) => line)).toEqual([3, 5]);
    expect(await stored.letters()).toMatchObject([
      {
        stage: 'prices',
        reason: 'badRow',
        kind: null,
        attempts: 0,
        items: [{ file: path, line: 3, raw: 'acme,SPY,1m,0,1,2,0.5,abc,1' }],
        error: {
          name: 'BadRowError',
          code: 'SLUICE_BAD_ROW',
          message: `${path}:3: close: expected a finite number, got "abc"`,
        },
      },
      { items: [{ file: path, line: 5, raw: 'x' }] },
    ]);
    const account = seen.monitor.account();
    expect(account).toMatchObject({ received: 4, diverted: 2, delivered: 2, held: 0, conservation: 0 });
    expect(account.dropped).toEqual({});
  });

  it('says nothing secret in the error', async () => {
    const secret = 'postgres://user:hunter2@host/db';
    const path = folder.write('secret.csv', csv(row(1), `acme,SPY,1m,0,1,2,0.5,${secret},1`));
    await observe(replayFile(path, { badRows: await stored.open() })).ended;
    const [letter] = await stored.letters();
    expect(JSON.stringify(letter!.error)).not.toContain('hunter2');
  });

  it('has the source wait while 32 letters are under way, and at its end for each', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => `bad ${i}`);
    const durable: Subject<void>[] = [];
    const box = letterBox<unknown>(() => {
      const one = new Subject<void>();
      durable.push(one);
      return one;
    });
    const seen = observe(replayFile(folder.write('many.csv', csv(...rows, row(1))), { badRows: box.deadLetters }));
    await turnsUntil(() => box.letters.length === 32);
    await settled();
    expect(box.letters).toHaveLength(32);
    expect(seen.items).toEqual([]);
    expect(seen.monitor.account()).toMatchObject({ received: 32, held: 32, conservation: 0 });
    for (const one of durable.splice(0, 9)) one.complete();
    await seen.count(1);
    await settled();
    expect(box.letters).toHaveLength(40);
    expect(seen.end).toBeUndefined();
    for (const one of durable) one.complete();
    await seen.ended;
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(seen.monitor.account()).toMatchObject({ diverted: 40, held: 0, conservation: 0 });
  });

  it('completes on stopping once the letters under way are durable, without complaint that no row was good', async () => {
    const durable = new Subject<void>();
    const box = letterBox<unknown>(() => durable);
    const stopping = new Subject<void>();
    const path = folder.write('stop.csv', csv('a', 'b'));
    const seen = observe(replayFile(path, { badRows: box.deadLetters }), new Gate(), stopping);
    await turnsUntil(() => box.letters.length === 2);
    stopping.next();
    expect(seen.end).toBeUndefined();
    durable.complete();
    expect(seen.end).toEqual({ kind: 'complete' });
    expect(seen.monitor.account()).toMatchObject({ received: 2, diverted: 2, conservation: 0 });
  });

  it('leaves its letters when it is unsubscribed, and their rows are held', async () => {
    let isLeft = false;
    const box = letterBox<unknown>(() => NEVER.pipe(finalize(() => (isLeft = true))));
    const seen = observe(replayFile(mixed(), { badRows: box.deadLetters }));
    await turnsUntil(() => box.letters.length === 2);
    seen.unsubscribe();
    expect(isLeft).toBe(true);
    expect(seen.end).toBeUndefined();
    expect(seen.monitor.account()).toMatchObject({ received: 4, delivered: 2, held: 2, conservation: 0 });
  });

  it('fails the source if a letter cannot be kept, after what was read', async () => {
    const failure = new Error('no letters today');
    const { deadLetters } = letterBox<unknown>(() => throwError(() => failure));
    const seen = observe(replayFile(mixed(), { badRows: deadLetters }));
    await seen.ended;
    expect(seen.end).toEqual({ kind: 'error', error: failure });
    expect(seen.items).toHaveLength(1);
    expect(seen.monitor.account()).toMatchObject({ held: 1, conservation: 0 });
    const thrown = observe(
      replayFile(mixed(), {
        badRows: {
          append() {
            throw failure;
          },
        },
      }),
    );
    await thrown.ended;
    expect(thrown.end).toEqual({ kind: 'error', error: failure });
  });

  it('cuts a row that is too large for a letter', async () => {
    const path = folder.write('large.csv', csv(row(1), 'x'.repeat(100_000)));
    const badRows = await stored.open({ maxLetterBytes: 65_536 });
    const seen = observe(replayFile(path, { badRows }));
    await seen.ended;
    expect(seen.end).toEqual({ kind: 'complete' });
    const [letter] = await stored.letters();
    expect(letter!.items).toEqual([{ file: path, line: 3, raw: 'x'.repeat(1_000) }]);
  });

  it('keeps those of toItem too, and a file of bad rows only is an error after their letters', async () => {
    const box = letterBox<unknown>(() => EMPTY);
    const seen = observe(
      replayFile(folder.write('items.ndjson', '{}\n{}'), {
        badRows: box.deadLetters,
        toItem: () => {
          throw new Error('no');
        },
      }),
    );
    await seen.ended;
    expect(box.letters).toHaveLength(2);
    expect(seen.end).toMatchObject({ error: { code: 'SLUICE_NO_GOOD_ROW' } });
  });

  it('must be something with append', () => {
    expect(() => replayFile('a.csv', { badRows: {} as never })).toThrow(
      'the append of its badRows must be a function, got undefined',
    );
  });
});

describe("seqFrom: 'mtime'", () => {
  it('numbers by the time of the file and the line', async () => {
    const path = folder.write('dated.csv', csv(row(1), row(2)));
    utimesSync(path, new Date(1_700_000_000_000), new Date(1_700_000_000_000));
    const read = () => replay(path, { seqFrom: 'mtime' });
    expect((await read()).items.map(({ seq }) => seq)).toEqual([1_700_000_000_000_002, 1_700_000_000_000_003]);
    const source = replayFile(path, { seqFrom: 'mtime' });
    utimesSync(path, new Date(1_800_000_000_000), new Date(1_800_000_000_000));
    const [first] = await lastValueFrom(source.pipe(toArray()));
    expect(first!.seq).toBe(Math.floor(statSync(path).mtimeMs * 1_000) + 2);
    expect((await replay(folder.path('none.csv'), { seqFrom: 'mtime' })).end).toMatchObject({
      error: { code: 'SLUICE_FILE_NOT_FOUND' },
    });
  });
});
