import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterEach, beforeEach } from 'vitest';
import type { Diversion } from '../../src/contracts/diversion.js';
import {
  type DeadLetterQueue,
  type LetterFilter,
  type OpenDeadLettersConfig,
  openDeadLetters,
  readDeadLetters,
  type StoredLetter,
} from '../../src/dead-letters/index.js';

/** A folder for the dead letters of one test, and what tests do with them. */
export interface DeadLetterFolder {
  readonly path: string;
  open(config?: Partial<OpenDeadLettersConfig>): Promise<DeadLetterQueue<unknown>>;
  letters(filter?: LetterFilter): Promise<StoredLetter<unknown>[]>;
  /** The files in the folder, and below it. */
  files(): string[];
}

export function deadLetterFolder(): DeadLetterFolder {
  let path: string;
  const queues: DeadLetterQueue<unknown>[] = [];
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'sluice-letters-')), 'dlq');
  });
  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.close()));
    rmSync(join(path, '..'), { recursive: true, force: true });
  });
  return {
    get path() {
      return path;
    },
    async open(config) {
      const queue = await openDeadLetters<unknown>(path, { pipeline: 'test', ...config });
      queues.push(queue);
      return queue;
    },
    async letters(filter) {
      const list: StoredLetter<unknown>[] = [];
      for await (const letter of readDeadLetters<unknown>(path, filter)) list.push(letter);
      return list;
    },
    files: () =>
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
        .sort(),
  };
}

export function diversion(items: readonly unknown[], more: Partial<Diversion<unknown>> = {}): Diversion<unknown> {
  return { items, stage: 'write', reason: 'poison', error: new Error('refused'), attempts: 1, ...more };
}

/** Appends, and waits until it is durable. */
export async function append(
  queue: DeadLetterQueue<unknown>,
  items: readonly unknown[],
  more: Partial<Diversion<unknown>> = {},
): Promise<void> {
  await lastValueFrom(queue.append(diversion(items, more)), { defaultValue: undefined });
}
