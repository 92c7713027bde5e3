import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { coded } from '../../../test/support/errors.js';
import { type FakeTerminalConfig, fakeTerminal, runSluice } from '../../../test/support/fakeTerminal.js';
import { type LetterFolder, letterFolder } from '../../../test/support/letters.js';
import { openDeadLetters } from '../../dead-letters/openDeadLetters.js';
import { sluice } from '../program.js';
import { holdText } from './dlq/withQueue.js';

let letters: LetterFolder;
beforeEach(() => {
  letters = letterFolder();
});
afterEach(() => letters.remove());

const dlq = (args: readonly string[], config: FakeTerminalConfig = {}) =>
  runSluice(['dlq', ...args], { cwd: letters.cwd, ...config });

const BARS = { name: 'bars', table: 'bars', records: 'bar' };

describe('sluice dlq park and unpark', () => {
  it('put letters aside and back', async () => {
    await letters.write({ stage: 'a', items: [1, 2] }, { stage: 'b' });
    expect(await dlq(['park', '--stage', 'a'])).toMatchObject({ code: 0, stdout: 'parked 1 letter with 2 items\n' });
    expect((await letters.read()).map(({ stage }) => stage)).toEqual(['b']);
    const [parked] = await letters.read('parked');
    expect(parked?.stage).toBe('a');
    expect(await dlq(['unpark', parked?.id ?? '', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"letters":1,"items":2}\n',
    });
    expect((await letters.read()).map(({ stage }) => stage).sort()).toEqual(['a', 'b']);
    expect(await letters.read('parked')).toEqual([]);
  });

  it.each(['park', 'unpark', 'purge'])('%s has to be told which', async (command) => {
    await letters.write({});
    const alone = await dlq([command, ...(command === 'purge' ? ['--yes'] : [])]);
    expect(alone).toMatchObject({ code: 2, stdout: '' });
    expect(alone.stderr).toBe('error: no letters are selected: pass ids or a filter, or --all for every letter\n');
    expect((await dlq([command, '--all', '--stage', 'a'])).code).toBe(2);
    expect(await letters.read()).toHaveLength(1);
  });

  it.each(['park', 'unpark', 'purge', 'replay'])(
    '%s says that a letter that was named is not there',
    async (command) => {
      await letters.write({});
      const extra = command === 'purge' ? ['--yes'] : command === 'replay' ? ['--dry-run'] : [];
      const mistyped = await dlq([command, '1-1', ...extra]);
      expect(mistyped).toMatchObject({
        code: 0,
        stderr: 'note: found 0 of 1 letters: see `sluice dlq ls` and `sluice dlq ls --parked`\n',
      });
      expect(await letters.read()).toHaveLength(1);
      const [letter] = await letters.read();
      if (command !== 'unpark') expect((await dlq([command, letter?.id ?? '', ...extra])).stderr).toBe('');
    },
  );

  it('share a folder that is open in this process', async () => {
    await letters.write({});
    const queue = await openDeadLetters(letters.folder, { pipeline: 'busy' });
    // Another process is refused: test/integration/cli.test.ts.
    expect((await dlq(['park', '--all'])).code).toBe(0);
    await queue.close();
  });
});

describe('Ctrl-C', () => {
  it.each(['park', 'purge'])(
    'stops %s after the letters under way and reports it, and does not hold back a second signal',
    async (command) => {
      await letters.write(...Array.from({ length: 100 }, () => ({})));
      const terminal = fakeTerminal({ cwd: letters.cwd });
      const { signals, said } = terminal;
      let heard = 0;
      let isHeard = false;
      signals.on('newListener', () => {
        heard += 1;
        // As soon as somebody listens, which is when the change begins.
        if (heard > 1) return;
        setImmediate(() => {
          signals.emit('SIGINT', 'SIGINT');
          // The same, passed on by a runner: somebody must hear it, or it would end the program.
          isHeard = signals.emit('SIGINT', 'SIGINT');
        });
      });
      const code = await sluice(['dlq', command, '--all', ...(command === 'purge' ? ['--yes'] : [])], terminal);
      expect(said.stderr).toMatch(/^stopping: what is (parked|removed) stays so; press Ctrl-C again to end at once\n$/);
      expect(code).toBe(3);
      const done = Number(/^(?:parked|removed) (\d+) letters?/.exec(said.stdout)?.[1]);
      expect(done).toBeLessThan(100);
      expect(await letters.read()).toHaveLength(100 - done);
      expect(isHeard).toBe(true);
      expect(signals.listenerCount('SIGINT')).toBe(0);
    },
  );
});

describe('every command that takes long', () => {
  it.each([
    ['ls', /^reading /m],
    ['show', /^looking for 1-1$/m],
    ['park', /^opening /m],
    ['unpark', /^opening /m],
    ['purge', /^opening /m],
    ['replay', /^\d+ letters read$/m],
  ])('%s says so on standard error', async (command, said) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await letters.write(...Array.from({ length: 3 }, () => ({ sink: BARS })));
    const args = {
      show: ['1-1'],
      park: ['--all'],
      unpark: ['--all'],
      purge: ['--all', '--yes'],
      replay: ['--dry-run'],
    };
    const terminal = fakeTerminal({ cwd: letters.cwd });
    let isOver = false;
    const running = sluice(['dlq', command, ...(args[command as keyof typeof args] ?? [])], terminal).finally(() => {
      isOver = true;
    });
    // Time flies: every turn of the event loop takes a minute.
    while (!isOver) {
      vi.advanceTimersByTime(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    vi.useRealTimers();
    await running;
    expect(terminal.said.stderr).toMatch(said);
  });
});

describe('a disk that accepts no data', () => {
  it('is reported with the reason, the remedy and the letters that wait, if any', () => {
    const hold = { error: coded('ENOSPC', 'ENOSPC: no space left'), sinceMs: 0 };
    expect(holdText({ ...hold, letters: 0, items: 0 })).toBe(
      'waiting for disk: the disk is full; free some space; writing resumes when the disk accepts data',
    );
    expect(holdText({ ...hold, letters: 3, items: 30 })).toBe(
      'waiting for disk, 3 letters with 30 items pending: the disk is full; free some space; writing resumes when the disk ' +
        'accepts data',
    );
  });
});

describe('sluice dlq purge', () => {
  it('removes letters once a person has typed yes', async () => {
    await letters.write({ reason: 'poison', items: [1, 2] }, {});
    const { code, stdout, questions } = await dlq(['purge', '--reason', 'poison'], { answer: 'yes' });
    expect(questions).toEqual([`Delete 1 letter with 2 items from ${letters.folder} permanently? Type yes: `]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'removed 1 letter with 2 items\n' });
    expect((await letters.read()).map(({ reason }) => reason)).toEqual(['exhausted']);
  });

  it.each(['', 'y', 'YES', 'no'])('removes nothing at the answer %j', async (answer) => {
    await letters.write({});
    expect(await dlq(['purge', '--all'], { answer })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'nothing was removed\n',
    });
    expect(await letters.read()).toHaveLength(1);
  });

  it('refuses where nobody can answer, and does not ask with --yes', async () => {
    await letters.write({}, {});
    const refused = await dlq(['purge', '--all']);
    expect(refused).toMatchObject({ code: 2, stdout: '', questions: [] });
    expect(refused.stderr).toContain('no terminal attached; pass --yes');
    expect(await letters.read()).toHaveLength(2);
    expect(await dlq(['purge', '--all', '--yes', '--json'])).toMatchObject({
      code: 0,
      stdout: '{"letters":2,"items":2}\n',
      questions: [],
    });
    expect(await letters.read()).toEqual([]);
  });

  it('removes parked letters only on request', async () => {
    await letters.write({}, {});
    const [first] = await letters.read();
    await dlq(['park', first?.id ?? '']);
    expect((await dlq(['purge', '--all', '--yes'])).stdout).toBe('removed 1 letter with 1 item\n');
    expect(await letters.read('parked')).toHaveLength(1);
    expect((await dlq(['purge', '--all', '--parked', '--yes'])).stdout).toBe('removed 1 letter with 1 item\n');
    expect(await letters.read('parked')).toEqual([]);
  });

  it('does not ask about nothing', async () => {
    await letters.write({});
    const { code, stdout, questions } = await dlq(['purge', '--stage', 'x'], { answer: 'yes' });
    expect({ code, stdout, questions }).toEqual({ code: 0, stdout: 'removed 0 letters with 0 items\n', questions: [] });
  });
});
