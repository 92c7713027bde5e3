import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import type { Diversion } from '../../src/contracts/diversion.js';
import { openDeadLetters } from '../../src/dead-letters/openDeadLetters.js';
import { readDeadLetters, type StoredLetter } from '../../src/dead-letters/readDeadLetters.js';
import type { Bar } from '../../src/market/bar.js';

export interface LetterFolder {
  /** The folder that the program is started in; the letters are in `.dlq`. */
  readonly cwd: string;
  readonly folder: string;
  /** Puts letters there, a minute apart, from 2026-01-05T10:00:00Z on. */
  write(...diversions: readonly Partial<Diversion<unknown>>[]): Promise<void>;
  /** The open letters, or the parked ones. */
  read(state?: 'open' | 'parked'): Promise<StoredLetter<unknown>[]>;
  remove(): void;
}

export const FIRST_AT = Date.UTC(2026, 0, 5, 10);

export function letterFolder(): LetterFolder {
  const cwd = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
  const folder = join(cwd, '.dlq');
  let at = FIRST_AT;
  return {
    cwd,
    folder,
    async write(...diversions) {
      const queue = await openDeadLetters<unknown>(folder, { pipeline: 'test', now: () => at });
      for (const diversion of diversions) {
        const letter = { items: [bar()], stage: 'bars.write', reason: 'exhausted', error: undefined, attempts: 5 };
        await lastValueFrom(queue.append({ ...letter, ...diversion }), { defaultValue: undefined });
        at += 60_000;
      }
      await queue.close();
    },
    async read(state = 'open') {
      const letters: StoredLetter<unknown>[] = [];
      for await (const letter of readDeadLetters<unknown>(folder, { state })) letters.push(letter);
      return letters;
    },
    remove: () => rmSync(cwd, { recursive: true, force: true }),
  };
}

export function bar(changes: Partial<Bar> = {}): Bar {
  return {
    kind: 'bar',
    vendor: 'acme',
    symbol: 'AAPL',
    timeframe: '1m',
    ts: FIRST_AT,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 10,
    seq: 1,
    ...changes,
  };
}
