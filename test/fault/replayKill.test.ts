import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDeadLetters, readDeadLetters, type StoredLetter } from '../../src/dead-letters/index.js';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import { type CompiledProgram, compileProgram } from './compileProgram.js';
import type { Numbered } from './replayProgram.js';

const KILLS = 50;

let program: CompiledProgram;
beforeAll(() => {
  program = compileProgram(new URL('./replayProgram.ts', import.meta.url));
}, 60_000);
afterAll(() => program?.remove());

let root: string;
let folder: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  folder = join(root, 'letters');
  file = join(root, 'written');
});
const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

/** A replay in a process of its own, which is loaded and waits to begin. */
class Replay {
  readonly #child: ChildProcess;
  readonly #ended: Promise<NodeJS.Signals | number | null>;
  readonly #loaded: Promise<void>;
  readonly #begun: Promise<void>;

  constructor(mode: 'refuse' | 'die' | 'take') {
    const child = spawn(process.execPath, [program.path, folder, file, mode], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    children.add(child);
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        children.delete(child);
        resolve(signal ?? code);
      });
    });
    let output = '';
    const said = (word: string) =>
      new Promise<void>((resolve) => {
        child.stdout!.on('data', () => {
          if (output.includes(word)) resolve();
        });
        void this.#ended.then(() => resolve());
      });
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    this.#loaded = said('loaded');
    this.#begun = said('begun');
    // A child that is dead by now does not hear it.
    child.stdin!.on('error', () => {});
  }

  /** Lets it run; kills it so long after it has begun. Returns how it ended. */
  async run(killAfterMs = Number.POSITIVE_INFINITY): Promise<NodeJS.Signals | number | null> {
    await this.#loaded;
    this.#child.stdin!.write('go\n');
    await this.#begun;
    if (killAfterMs < Number.POSITIVE_INFINITY) setTimeout(() => this.#child.kill('SIGKILL'), killAfterMs);
    return this.#ended;
  }
}

const written = () =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);

async function letters(state: 'open' | 'parked'): Promise<StoredLetter<Numbered>[]> {
  const list: StoredLetter<Numbered>[] = [];
  for await (const letter of readDeadLetters<Numbered>(folder, { state })) list.push(letter);
  return list;
}

const numbersIn = (list: readonly StoredLetter<Numbered>[]) => list.flatMap(({ items }) => items.map(({ n }) => n));

describe('a replay that is killed', () => {
  it(`${KILLS} times at any moment has lost nothing, and leaves nothing after the last one`, async () => {
    const chance = Xoshiro128.fromSeed(20_261_125);
    let n = 0;
    /** Appends as a pipeline would, so that there is always something to replay. The dead one must not hold the folder. */
    const topUp = async () => {
      const queue = await openDeadLetters<Numbered>(folder, { pipeline: 'numbers', segmentBytes: 16_384 });
      const missing = 150 - queue.stats().open.letters;
      const appends = Array.from({ length: Math.max(0, missing) }, () => {
        const items = Array.from({ length: 1 + Math.floor(chance.unit() * 12) }, () => ({ n: n++ }));
        const letter = { items, stage: 'write', reason: 'exhausted', error: new Error('gone'), attempts: 5 };
        return lastValueFrom(queue.append(letter), { defaultValue: undefined });
      });
      await Promise.all(appends);
      await queue.close();
    };
    let kills = 0;
    let whole = 0;
    let next = new Replay('refuse');
    while (kills < KILLS) {
      await topUp();
      const replay = next;
      next = new Replay('refuse');
      const end = await replay.run(chance.unit() * 40);
      if (end === 'SIGKILL') kills += 1;
      else whole += 1;
      expect(end === 'SIGKILL' || end === 0).toBe(true);
      expect(whole).toBeLessThan(KILLS);
      // At every moment each item is in the file, in a letter, or in both.
      if (kills % 10 === 0) {
        const seen = new Set([...written(), ...numbersIn(await letters('open'))]);
        expect([kills, seen.size]).toEqual([kills, n]);
      }
    }
    expect(await new Replay('take').run()).toBe(0);
    expect(new Set(written()).size).toBe(n);
    expect(await letters('open')).toEqual([]);
    expect(await letters('parked')).toEqual([]);
    expect(readdirSync(folder).filter((name) => name !== 'parked')).toEqual([]);
  }, 120_000);

  it('by one of its letters parks that one, and writes the others', async () => {
    const queue = await openDeadLetters<Numbered>(folder, { pipeline: 'numbers' });
    for (let n = 0; n < 40; n++) {
      const letter = { items: [{ n }], stage: 'write', reason: 'exhausted', error: undefined, attempts: 5 };
      await lastValueFrom(queue.append(letter), { defaultValue: undefined });
    }
    await queue.close();
    const ends: (NodeJS.Signals | number | null)[] = [];
    while (ends.at(-1) !== 0) {
      ends.push(await new Replay('die').run());
      expect(ends.length).toBeLessThan(10);
    }
    // Three attempts are what a letter has; the fourth replay sees that it has had them.
    expect(ends).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 0]);
    expect(await letters('parked')).toMatchObject([{ items: [{ n: 13 }], replays: 3 }]);
    expect(await letters('open')).toEqual([]);
    expect([...new Set(written())].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, n) => n).filter((n) => n !== 13),
    );
  }, 60_000);
});
