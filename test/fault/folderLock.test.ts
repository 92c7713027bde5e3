import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CompiledProgram, compileProgram } from './compileProgram.js';

let program: CompiledProgram;
beforeAll(() => {
  program = compileProgram(new URL('./lockProgram.ts', import.meta.url));
}, 60_000);
afterAll(() => program?.remove());

let folder: string;
const children = new Set<ChildProcess>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  rmSync(folder, { recursive: true, force: true });
});

/** What a second container has of its own: network, processes and host name. Its main process has the id 1. */
const CONTAINER = ['unshare', '-n', '-u', '-p', '-f', '--kill-child', '--mount-proc'];
const canIsolate =
  process.platform === 'linux' && spawnSync(CONTAINER[0]!, [...CONTAINER.slice(1), 'true']).status === 0;

class Contender {
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #lines: string[] = [];
  #wake: (() => void) | undefined;

  constructor(command: readonly string[] = []) {
    const [file = '', ...args] = [...command, process.execPath, program.path, folder];
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    children.add(this.child);
    // With its output, which a process in a container holds for a moment longer than the one that is killed.
    this.#ended = new Promise((resolve) => this.child.once('close', resolve));
    let rest = '';
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      this.#lines.push(...lines);
      this.#wake?.();
    });
  }

  async line(): Promise<string> {
    while (this.#lines.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift()!;
  }

  async ask(request: 'lock' | 'unlock'): Promise<string> {
    this.child.stdin!.write(`${request}\n`);
    return this.line();
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

async function contend(count: number, command?: (n: number) => readonly string[]): Promise<Contender[]> {
  const contenders = Array.from({ length: count }, (_, n) => new Contender(command?.(n)));
  for (const one of contenders) expect(await one.line()).toBe('ready');
  return contenders;
}

async function expectOneWinnerPerRound(contenders: readonly Contender[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const answers = await Promise.all(contenders.map((one) => one.ask('lock')));
    expect([round, answers.filter((answer) => answer === 'held')]).toEqual([round, ['held']]);
    await contenders[answers.indexOf('held')]!.ask('unlock');
  }
  expect(readdirSync(folder)).toEqual([]);
}

describe('the lock of a folder', () => {
  it('is refused to a second process, which learns who has it, and is free when that one is killed', async () => {
    const [first, second] = await contend(2);
    expect(await first!.ask('lock')).toBe('held');
    expect(await second!.ask('lock')).toBe(`the folder ${folder} is in use by process ${first!.child.pid}`);
    // A process that is stopped holds its lock.
    first!.child.kill('SIGSTOP');
    expect(await second!.ask('lock')).toContain('is in use by another process');
    await first!.kill();
    expect(await second!.ask('lock')).toBe('held');
    expect(await second!.ask('unlock')).toBe('free');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not held by what a killed process left, even if its id is that of a living one by now', async () => {
    const [first, second] = await contend(2);
    await first!.ask('lock');
    await first!.kill();
    writeFileSync(join(folder, '.lock-1'), `${process.pid}\n`);
    writeFileSync(`${folder}.lock`, `${process.pid}\n`);
    expect(readdirSync(folder)).toHaveLength(2);
    expect(await second!.ask('lock')).toBe('held');
    expect(readdirSync(folder)).toHaveLength(1);
    rmSync(`${folder}.lock`);
  });

  it('goes to one of several that start at once, round after round', async () => {
    await expectOneWinnerPerRound(await contend(4), 50);
  });

  describe.runIf(canIsolate)('between containers that share the folder', () => {
    it('is refused, though both have the process id 1, and is free when the first one is killed', async () => {
      const [first, second] = await contend(2, (n) => [...CONTAINER, 'sh', '-c', `hostname box${n}; exec "$@"`, 'sh']);
      const outside = (await contend(1))[0]!;
      expect(await first!.ask('lock')).toBe('held');
      expect(await second!.ask('lock')).toBe(`the folder ${folder} is in use by process 1 on host box0`);
      expect(await outside.ask('lock')).toBe(`the folder ${folder} is in use by process 1 on host box0`);
      await first!.kill();
      expect(await outside.ask('lock')).toBe('held');
      expect(await second!.ask('lock')).toContain(`is in use by process ${outside.child.pid} on host ${hostname()}`);
    });

    it('goes to one of several that start at once, round after round, also where the last holder was killed', async () => {
      for (let kills = 0; kills < 5; kills += 1) {
        const contenders = await contend(4, (n) => (n === 3 ? [] : CONTAINER));
        await expectOneWinnerPerRound(contenders, 10);
        const answers = await Promise.all(contenders.map((one) => one.ask('lock')));
        expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
        for (const one of contenders) await one.kill();
      }
    });

    it('goes to one at most where the disk has no room for a socket', async () => {
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'nr_inodes=2', 'tmpfs', folder]);
      try {
        for (let n = 0; n < 2; n += 1) spawnSync('touch', [join(folder, `full-${n}`)]);
        const contenders = await contend(2, () => CONTAINER);
        const answers = await Promise.all(contenders.map((one) => one.ask('lock')));
        expect(answers.filter((answer) => answer === 'held').length).toBeLessThanOrEqual(1);
        expect(answers[0]).toContain('ENOSPC');
      } finally {
        spawnSync('umount', ['-l', folder]);
      }
    });
  });
});
