import { resumePoints, storeLedger } from 'sluice/postgres';
import { backfill, type Provider, providerRouter } from 'sluice/providers';
import { ibkr } from 'sluice/providers/ibkr';
import { massive } from 'sluice/providers/massive';
import { describe, it } from 'vitest';
import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import type { ProviderStreamConfig } from '../../src/providers/streamConfig.js';
import { freshDatabase } from '../postgres/freshDatabase.js';
import type { Compose } from './dayProcess.js';
import { dayScript } from './dayScript.js';
import { barsOf, formerBars, ibkrTicks, massiveTicks } from './dayTruth.js';
import { type Claims, describeGap, storyOf, verdictOn } from './dayVerdict.js';
import { DayWorld } from './dayWorld.js';

/** What `npm run test:day` asks for; without it a sample. */
const { SLUICE_DAY_FROM = '1', SLUICE_DAY_SEEDS, SLUICE_DAY_STEP = '1', SLUICE_DAY_VERBOSE } = process.env;

function seedsOf({ sample }: Program): readonly number[] {
  const count = Number(SLUICE_DAY_SEEDS ?? sample);
  return Array.from({ length: count }, (_, i) => Number(SLUICE_DAY_FROM) + i * Number(SLUICE_DAY_STEP));
}

/** What both vendors are told of their streams. */
function streamOptions({ clock, calendar, script }: DayWorld): ProviderStreamConfig {
  const random = Xoshiro128.fromSeed(script.seed);
  return { scheduler: clock, random: () => random.unit(), calendar, pingEveryMs: 30_000, deadAfterMs: 90_000 };
}

const ibkrOf = (world: DayWorld) => ibkr({ ...streamOptions(world), url: world.venues.ibkr.url, clientId: 7 });

const massiveOf = (world: DayWorld) => {
  const { url, secret: key } = world.venues.massive;
  return massive({ ...streamOptions(world), url, key });
};

/** One vendor, without backfill: what is missing lies in gaps that are open. */
const alone =
  (make: (world: DayWorld) => Provider) =>
  (world: DayWorld): Compose =>
  async ({ pool }) => {
    const provider = make(world);
    const kinds = ['bar', 'trade', 'quote'] as const;
    const { symbols } = world.script;
    const resumeFrom = await resumePoints(pool, { vendor: provider.name, kinds, symbols, now: world.clock.now() });
    return provider.stream({ kinds, symbols, resumeFrom });
  };

/** How the day spells a symbol, and Massive does: classes of shares after a dot. */
const massiveSpelling = (symbol: string) => symbol.replace(' ', '.');

/** Bars of both vendors as one series, IBKR preferred. */
const failover =
  (world: DayWorld): Compose =>
  async ({ pool }) => {
    const { clock, calendar, script } = world;
    const kinds = ['bar'] as const;
    const { symbols } = script;
    const resumeFrom = await resumePoints(pool, { vendor: 'merged', kinds, symbols, now: clock.now() });
    const providers = [ibkrOf(world), { provider: massiveOf(world), spell: massiveSpelling }];
    const live$ = providerRouter({
      ...{ providers, kinds, symbols, resumeFrom, calendar, scheduler: clock },
      strategy: 'failover',
      as: 'merged',
      staleAfterMs: 130_000,
      onSwitch: ({ at, from, to, reason }) => {
        world.switches.push({ at, to });
        world.note(`switch from ${from} to ${to}: ${reason}`);
      },
    });
    const random = Xoshiro128.fromSeed(script.seed);
    return live$.pipe(
      backfill({
        emptyAfterMs: 30_000,
        ...{ providers, ledger: storeLedger(pool), as: 'merged', scheduler: clock, random: () => random.unit() },
        onClosed: (gap) => world.note(`closed ${describeGap(gap)}, ${gap.rows} rows`),
        onLeftOpen: ({ gap, reason, nextTryMs }) =>
          world.note(`left open ${describeGap(gap)}: ${reason}; next try in ${nextTryMs} ms`),
      }),
    );
  };

interface Program {
  readonly what: string;
  /** The rule that it is held to. */
  readonly ends: string;
  /** How many of the seeds are tried when nobody asks for more. */
  readonly sample: number;
  readonly compose: (world: DayWorld) => Compose;
  readonly claims: (world: DayWorld) => Claims;
}

const PROGRAMS: readonly Program[] = [
  {
    what: 'failover from IBKR to Massive',
    ends: 'ends with every bar that the market made, every gap closed and every limit kept',
    sample: 3,
    compose: failover,
    claims: (world) => ({
      expected: barsOf(world.told, 'merged'),
      former: formerBars(world.told, 'merged', (when) => world.isAway('ibkr', when)),
    }),
  },
  {
    what: 'Massive alone',
    ends: 'misses nothing that no gap record tells of',
    sample: 1,
    compose: alone(massiveOf),
    claims: ({ told }) => ({ expected: [...barsOf(told, 'massive'), ...massiveTicks(told)], mayBeOpen: () => true }),
  },
  {
    what: 'IBKR alone',
    ends: 'misses nothing that no gap record tells of',
    sample: 1,
    compose: alone(ibkrOf),
    claims: ({ told }) => ({ expected: [...barsOf(told, 'ibkr'), ...ibkrTicks(told)], mayBeOpen: () => true }),
  },
];

describe.each(PROGRAMS)('a day of $what', (program) => {
  const { compose, claims } = program;
  describe.each(seedsOf(program))('seed %i', (seed) => {
    const database = freshDatabase();
    it(program.ends, async () => {
      const startedAt = process.cpuUsage();
      const world = await DayWorld.open(dayScript(seed), database.url, compose);
      try {
        await world.live();
        const problems = await verdictOn(world, database.pool(), claims(world));
        const { user, system } = process.cpuUsage(startedAt);
        const gaps = await world.gaps();
        if (SLUICE_DAY_VERBOSE) {
          const count = (state: string) => `${gaps.filter((gap) => gap.state === state).length} ${state}`;
          const seconds = ((user + system) / 1e6).toFixed(1);
          const states = ['filled', 'empty', 'open'].map(count).join(', ');
          console.log(
            `${program.what}, seed ${seed}: ${world.clock.steps} steps, ${seconds} s of CPU; gaps: ${states}`,
          );
        }
        if (problems.length > 0) {
          const again = `npm run test:day -- --seed ${seed}`;
          throw new Error([...problems, `alone: ${again}`, storyOf(world, gaps)].join('\n'));
        }
      } finally {
        await world.close();
      }
    }, 120_000);
  });
});
