import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';
import type { GivenUp, WriteFailure } from './batchFate.js';
import { TableRefusals } from './tableRefusals.js';
import { type WriteCommand, WriteProgress, type WriteRules } from './writeProgress.js';

const TRANSIENT: WriteFailure = {
  error: 'refused',
  class: 'transient',
  hasCode: true,
  isLostConnection: false,
  retryAfterMs: 0,
  isBreakerHolding: false,
};
const POISON: WriteFailure = { ...TRANSIENT, error: 'bad row', class: 'poison' };
const FATAL: WriteFailure = { ...TRANSIENT, error: 'no table', class: 'fatal' };

const makeBackoff = () => new Backoff({ jitter: 'none', initialMs: 10, maxMs: 1_000, random: () => 0 });
const RULES: WriteRules = { maxAttempts: 3, canDivert: true, makeBackoff };
const NO_LETTERS: WriteRules = { ...RULES, canDivert: false };

type Progress = WriteProgress<number>;
type Input = (progress: Progress) => void;

const next: Input = (progress) => progress.next();
const started: Input = (progress) => progress.started();
const committed: Input = (progress) => progress.committed(1, 5);
const failed = (failure: WriteFailure): Input => {
  return (progress) => progress.failed(failure);
};
const giveUp: Input = (progress) => progress.giveUp('drain', undefined);
const stop: Input = (progress) => progress.stop();
const resume: Input = (progress) => progress.resume();
const begin = [next, started];

function progressOf(items: readonly number[], inputs: readonly Input[] = [], rules: Partial<WriteRules> = {}) {
  const progress = new WriteProgress({ items, given: items }, { ...RULES, ...rules });
  for (const input of inputs) input(progress);
  return progress;
}

/** All that is to be done now. */
function commandsOf(progress: Progress): WriteCommand<number>[] {
  const commands: WriteCommand<number>[] = [];
  for (let command = progress.next(); command; command = progress.next()) commands.push(command);
  return commands;
}

/** How each mode is reached, by a batch of two. */
const MODES: Readonly<Record<Progress['mode'], { inputs: readonly Input[]; rules?: Partial<WriteRules> }>> = {
  ready: { inputs: [] },
  asked: { inputs: [next] },
  writing: { inputs: begin },
  backingOff: { inputs: [...begin, failed(TRANSIENT)] },
  waiting: { inputs: [...begin, failed(TRANSIENT), next] },
  aborting: { inputs: [...begin, failed(FATAL)] },
  failing: { inputs: [...begin, failed(FATAL)], rules: NO_LETTERS },
  failed: { inputs: [...begin, failed(FATAL), next], rules: NO_LETTERS },
  settling: { inputs: [giveUp] },
  done: { inputs: [...begin, committed, next] },
};

const INPUTS = { next, started, committed, transient: failed(TRANSIENT), poison: failed(POISON), fatal: failed(FATAL) };
const LATER_INPUTS = { resume, giveUp, stop };

/** What each input leads to. What is not named is illegal. */
const LEGAL: Readonly<
  Record<Progress['mode'], Partial<Record<keyof typeof INPUTS | keyof typeof LATER_INPUTS, Progress['mode']>>>
> = {
  ready: { next: 'asked', giveUp: 'settling', stop: 'failed' },
  asked: { next: 'asked', started: 'writing', giveUp: 'settling', stop: 'failed' },
  writing: {
    next: 'writing',
    committed: 'settling',
    transient: 'backingOff',
    poison: 'ready',
    fatal: 'aborting',
    giveUp: 'settling',
    stop: 'failed',
  },
  backingOff: { next: 'waiting', giveUp: 'settling', stop: 'failed' },
  waiting: { next: 'waiting', resume: 'ready', giveUp: 'settling', stop: 'failed' },
  aborting: { next: 'settling', giveUp: 'aborting', stop: 'failed' },
  failing: { next: 'failed', giveUp: 'failing', stop: 'failed' },
  failed: { next: 'failed', giveUp: 'failed', stop: 'failed' },
  settling: { next: 'settling', giveUp: 'settling', stop: 'failed' },
  done: { next: 'done', giveUp: 'done', stop: 'done' },
};

describe('each mode takes each input as the table says', () => {
  for (const mode of Object.keys(MODES) as Progress['mode'][]) {
    it.each(Object.entries({ ...INPUTS, ...LATER_INPUTS }))(`${mode}: %s`, (name, input) => {
      const { inputs, rules } = MODES[mode];
      const progress = progressOf([1, 2], inputs, rules);
      expect(progress.mode).toBe(mode);
      const to = LEGAL[mode][name as keyof typeof INPUTS];
      if (to === undefined) {
        expect(() => input(progress)).toThrow(`found ${mode}`);
        expect(progress.mode).toBe(mode);
      } else {
        input(progress);
        expect(progress.mode).toBe(to);
      }
    });
  }
});

describe('a batch that is written at once', () => {
  it('is written whole, and is done', () => {
    const items = [1, 2];
    const progress = progressOf(items);
    expect(commandsOf(progress)).toEqual([{ do: 'write', part: { items, given: items } }]);
    started(progress);
    progress.committed(2, 7);
    expect(progress.isSettled).toBe(true);
    expect(progress.outcomes).toEqual([{ status: 'written', items, rows: 2, attempts: 1, durationMs: 7 }]);
    expect(commandsOf(progress)).toEqual([{ do: 'done' }]);
    expect(progress.isSettled).toBe(true);
  });

  it('is not counted as attempted while it waits for the breaker', () => {
    const progress = progressOf([1], [next, giveUp]);
    expect(commandsOf(progress)).toMatchObject([{ do: 'divert', letter: { attempts: 0 } }]);
  });

  it('has as many items to write as were given', () => {
    expect(() => new WriteProgress({ items: [1], given: [1, 2] }, RULES)).toThrow('2 items were given, and 1 are to');
  });
});

describe('a transient failure', () => {
  const waitAfter = (failures: readonly WriteFailure[], rules: Partial<WriteRules> = {}) => {
    const progress = progressOf([1], [], rules);
    const waits: (number | string)[] = [];
    for (const failure of failures) {
      next(progress);
      started(progress);
      progress.failed(failure);
      for (const command of commandsOf(progress)) waits.push(command.do === 'wait' ? command.ms : command.do);
      if (progress.mode === 'waiting') resume(progress);
    }
    return waits;
  };
  const outage = { ...TRANSIENT, isBreakerHolding: true };
  const lost = { ...TRANSIENT, isLostConnection: true };

  it.each<[string, readonly WriteFailure[], readonly (number | string)[]]>([
    ['grows its wait until the attempts run out', [TRANSIENT, TRANSIENT, TRANSIENT], [10, 20, 'divert']],
    ['is free while the breaker is open, at the shortest wait', [outage, outage, outage, outage], [10, 10, 10, 10]],
    ['is not free if its error has no code', Array(3).fill({ ...outage, hasCode: false }), [10, 20, 'divert']],
    ['waits as long as its error asks for', [{ ...TRANSIENT, retryAfterMs: 70 }, TRANSIENT], [70, 20]],
    ['that broke a connection is followed at once, the first time', [lost, lost], [0, 10]],
    ['that broke a connection waits if its error asks for it', [{ ...lost, retryAfterMs: 3 }], [3]],
    ['that broke a connection in an outage waits', [{ ...lost, isBreakerHolding: true }], [10]],
  ])('%s', (_, failures, waits) => {
    expect(waitAfter(failures)).toEqual(waits);
  });

  it('is tried as often as the rules say, the first attempt included', () => {
    expect(waitAfter([TRANSIENT], { maxAttempts: 1 })).toEqual(['divert']);
    expect(waitAfter([TRANSIENT, TRANSIENT], { maxAttempts: 2 })).toEqual([10, 'divert']);
  });

  it('fails the batch for good if there are no dead letters', () => {
    const progress = progressOf([1, 2], [...begin, failed(TRANSIENT)], { ...NO_LETTERS, maxAttempts: 1 });
    expect(commandsOf(progress)).toEqual([{ do: 'fail', failure: { items: [1, 2], attempts: 1, cause: 'refused' } }]);
    expect(progress.isSettled).toBe(false);
  });

  it('leaves the mode as it was if chance throws', () => {
    const fail = () => {
      throw new Error('no chance');
    };
    const rules = { makeBackoff: () => new Backoff({ random: fail }) };
    const progress = progressOf([1], begin, rules);
    expect(() => progress.failed(TRANSIENT)).toThrow('no chance');
    expect(progress.mode).toBe('writing');
  });
});

describe('a poisonous batch', () => {
  /** Plays a sink that refuses `bad`, and says what was written and what was diverted. */
  const play = (items: readonly number[], bad: readonly number[], given = items) => {
    const progress = new WriteProgress({ items, given }, RULES);
    const letters: GivenUp<number>[] = [];
    let writes = 0;
    for (let command = progress.next(); command && command.do !== 'done'; command = progress.next()) {
      if (command.do === 'divert') {
        letters.push(command.letter);
        progress.durable(command.letter, 9);
      } else if (command.do === 'write') {
        writes += 1;
        started(progress);
        if (command.part.items.some((item) => bad.includes(item))) progress.failed(POISON);
        else progress.committed(command.part.items.length, writes);
      }
    }
    return { letters, writes, outcomes: progress.outcomes };
  };

  it('gives up the bad item alone, with how often the sink was asked to take it', () => {
    const { letters, outcomes } = play([0, 1, 2, 3, 4, 5, 6, 7], [1, 6]);
    expect(letters.map(({ items, attempts }) => [items, attempts])).toEqual([
      [[1], 4],
      [[6], 4],
    ]);
    expect(outcomes).toMatchObject([
      { status: 'written', items: [0, 2, 3, 4, 5, 7], rows: 6 },
      { status: 'diverted', items: [1], reason: 'poison', durationMs: 9 },
      { status: 'diverted', items: [6], reason: 'poison' },
    ]);
  });

  it('of one item is given up without another write', () => {
    const { writes, outcomes } = play([1], [1]);
    expect(writes).toBe(1);
    expect(outcomes).toMatchObject([{ status: 'diverted', items: [1], attempts: 1 }]);
  });

  it('of bad items only writes nothing, and says so', () => {
    expect(play([1, 2], [1, 2]).outcomes.map(({ status }) => status)).toEqual(['diverted', 'diverted']);
  });

  it('names its outcomes as the items were given, and hands out letters as they were stamped', () => {
    const { letters, outcomes } = play([10, 11, 12, 13], [12], [0, 1, 2, 3]);
    expect(letters).toMatchObject([{ items: [12], given: [2] }]);
    expect(outcomes.map(({ items }) => items)).toEqual([[0, 1, 3], [2]]);
  });

  it('fails for good if there are no dead letters', () => {
    const progress = progressOf([1, 2], [...begin, failed(POISON)], NO_LETTERS);
    expect(commandsOf(progress).map((command) => command.do)).toEqual(['fail']);
  });

  it('gives each part all its attempts, and begins its waits at the shortest', () => {
    const progress = progressOf(
      [1, 2],
      [...begin, failed(TRANSIENT), next, resume, ...begin, failed(POISON), ...begin],
    );
    progress.failed(TRANSIENT);
    expect(progress.next()).toEqual({ do: 'wait', ms: 10 });
  });
});

describe('a batch whose table refuses every row', () => {
  /** Five items of which each is refused by the same rule, but for those that are refused for themselves. */
  function held() {
    const progress = progressOf([1, 2, 3, 4, 5, 6], [], { refusals: new TableRefusals() });
    while (!progress.refused) {
      next(progress);
      started(progress);
      progress.failed({ ...POISON, refusal: 'price' });
    }
    return progress;
  }

  it('waits for the table, as long as nothing else makes it wait, and names the rule and the error of the sink', () => {
    const progress = held();
    expect(progress.refused).toMatchObject({ code: 'SLUICE_TABLE_REFUSED', refusal: 'price', cause: 'bad row' });
    expect(commandsOf(progress)).toEqual([{ do: 'wait', ms: 1_000, isHold: true }]);
    expect(commandsOf(progressOf([1], [...begin, failed(TRANSIENT)]))).toEqual([{ do: 'wait', ms: 10 }]);
  });

  it('names them too where the last row of a probe is refused for itself', () => {
    const progress = held();
    const refuse = (failure: WriteFailure) => {
      next(progress);
      started(progress);
      progress.failed(failure);
    };
    next(progress);
    resume(progress);
    refuse({ ...POISON, refusal: 'price', error: 'still' });
    expect(progress.refused).toBeUndefined();
    refuse({ ...POISON, error: 'for itself' });
    expect(progress.refused).toMatchObject({ refusal: 'price', cause: 'still' });
  });

  it('says in a drain that it was the table', () => {
    const progress = held();
    giveUp(progress);
    expect(commandsOf(progress)).toMatchObject([
      { do: 'divert', letter: { items: [1, 2, 3, 4, 5, 6], error: { code: 'SLUICE_TABLE_REFUSED' } } },
    ]);
  });
});

describe('a fatal failure', () => {
  it('tells the pipeline first, and then gives up what is left', () => {
    const progress = progressOf([1, 2], [...begin, failed(FATAL)]);
    expect(commandsOf(progress)).toEqual([
      { do: 'abort', failure: { items: [1, 2], attempts: 1, cause: 'no table' } },
      { do: 'divert', letter: { items: [1, 2], given: [1, 2], reason: 'fatal', error: 'no table', attempts: 1 } },
    ]);
    expect(progress.mode).toBe('settling');
  });
});

describe('what is given up', () => {
  it('in a drain says what the sink said last, else what stood in the way of letting it go', () => {
    const quiet = progressOf([1], begin);
    quiet.giveUp('drain', 'cannot be closed');
    expect(commandsOf(quiet)).toMatchObject([{ do: 'divert', letter: { error: 'cannot be closed' } }]);
    const loud = progressOf([1], [...begin, failed(TRANSIENT), next]);
    loud.giveUp('drain', undefined);
    expect(commandsOf(loud)).toMatchObject([{ do: 'divert', letter: { error: 'refused', attempts: 1 } }]);
  });

  it('for any other reason says that reason, whatever the sink has said before', () => {
    const progress = progressOf([1], [...begin, failed(TRANSIENT), next]);
    progress.giveUp('fatal', 'another writer has failed');
    expect(commandsOf(progress)).toMatchObject([{ do: 'divert', letter: { error: 'another writer has failed' } }]);
  });

  it('is not what was written already', () => {
    const progress = progressOf([1, 2, 3, 4], [...begin, failed(POISON), ...begin, committed, ...begin]);
    progress.giveUp('drain', undefined);
    expect(commandsOf(progress)).toMatchObject([{ do: 'divert', letter: { items: [3, 4] } }]);
  });

  it('is not settled, and has no outcome, before its letter is durable', () => {
    const progress = progressOf([1], [giveUp]);
    const [command] = commandsOf(progress);
    expect(progress.isSettled).toBe(false);
    expect(progress.outcomes).toEqual([]);
    if (command?.do === 'divert') progress.durable(command.letter, 3);
    expect(progress.outcomes).toMatchObject([{ status: 'diverted', durationMs: 3 }]);
    expect(commandsOf(progress)).toEqual([{ do: 'done' }]);
  });

  it('has a letter that is durable once', () => {
    const letter = { items: [1], given: [1], reason: 'drain', error: undefined, attempts: 0 } as const;
    expect(() => progressOf([1]).durable(letter, 0)).toThrow('no letter is on its way');
  });

  it('is handed out no more once the writer has ended', () => {
    expect(commandsOf(progressOf([1], [giveUp, stop]))).toEqual([]);
  });
});

/** What a sink may answer, by chance: a bad item is always refused. */
const script = fc.record({
  count: fc.integer({ min: 1, max: 60 }),
  bad: fc.uniqueArray(fc.nat(59), { maxLength: 12 }),
  answers: fc.array(fc.constantFrom('fine', 'fine', 'transient', 'outage', 'fatal'), { maxLength: 40 }),
  giveUpAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(30)),
  isStamped: fc.boolean(),
  lateLetters: fc.boolean(),
  maxAttempts: fc.integer({ min: 1, max: 4 }),
});

it('ends every item exactly once, in order, in a bounded number of writes, whatever the sink answers', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(script, ({ count, bad, answers, giveUpAfter, isStamped, lateLetters, maxAttempts }) => {
      const given = Array.from({ length: count }, (_, i) => i);
      const items = isStamped ? given.map((n) => n + 1_000) : given;
      const progress = new WriteProgress({ items, given }, { ...RULES, maxAttempts });
      const fates = new Map<number, string>();
      const end = (numbers: readonly number[], fate: string) => {
        for (const n of numbers) {
          expect(fates.has(n), `${n} has ended before`).toBe(false);
          fates.set(n, fate);
        }
      };
      const late: GivenUp<number>[] = [];
      let writes = 0;
      let aborts = 0;
      let isDone = false;
      while (!isDone) {
        const command = progress.next();
        if (command === undefined) {
          const letter = late.shift();
          expect(letter, `nothing to do in the mode ${progress.mode}`).toBeDefined();
          progress.durable(letter!, 0);
          continue;
        }
        seen.add(command.do);
        if (command.do === 'divert') {
          const { letter } = command;
          end(letter.given, letter.reason);
          expect(letter.items).toEqual(letter.given.map((n) => items[n]));
          if (lateLetters) late.push(letter);
          else progress.durable(letter, 0);
        } else if (command.do === 'write') {
          if (writes === giveUpAfter) {
            progress.giveUp('drain', undefined);
            continue;
          }
          const { part } = command;
          // Parts come in order, and none is written after one that stands to the right of it.
          expect(part.given[0]).toBe(fates.size);
          const answer = answers[writes] ?? 'fine';
          writes += 1;
          started(progress);
          if (answer === 'fatal') progress.failed(FATAL);
          else if (answer !== 'fine') progress.failed({ ...TRANSIENT, isBreakerHolding: answer === 'outage' });
          else if (part.given.some((n) => bad.includes(n))) progress.failed(POISON);
          else {
            end(part.given, 'written');
            progress.committed(part.given.length, 0);
          }
        } else if (command.do === 'wait') progress.resume();
        else if (command.do === 'abort') aborts += 1;
        else isDone = true;
      }
      expect([...fates.keys()].sort((a, b) => a - b)).toEqual(given);
      const outcomes = progress.outcomes.flatMap((outcome) =>
        outcome.items.map((n) => [n, outcome.status === 'written' ? 'written' : outcome.reason] as const),
      );
      expect(new Map(outcomes)).toEqual(fates);
      expect(outcomes).toHaveLength(count);
      const isBad = given.filter((n) => bad.includes(n));
      for (const [n, fate] of fates) {
        if (fate === 'poison') expect(isBad).toContain(n);
        if (fate === 'written') expect(isBad).not.toContain(n);
      }
      const failures = answers.filter((answer) => answer !== 'fine').length;
      expect(writes).toBeLessThanOrEqual(1 + failures + isBad.length * (Math.ceil(Math.log2(count)) + 2));
      expect(aborts).toBe([...fates.values()].includes('fatal') ? 1 : 0);
      for (const fate of fates.values()) seen.add(fate);
    }),
    { seed: 8, numRuns: 2_000 },
  );
  // The scripts were not idle.
  expect([...seen].sort()).toEqual(
    ['abort', 'divert', 'done', 'drain', 'exhausted', 'fatal', 'poison', 'wait', 'write', 'written'].sort(),
  );
});
