import fc from 'fast-check';
import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { PacingProfile } from '../../src/policies/pacingProfile.js';
import { HISTORY_TURN, type PacingPriority } from '../../src/policies/pacingQueue.js';
import { type PacerTicket, SharedPacer } from '../../src/policies/sharedPacer.js';

interface Rule {
  readonly limit: number;
  readonly perMs: number;
  readonly isKeyed: boolean;
}

interface Asked {
  readonly id: number;
  readonly at: number;
  readonly key: string;
  readonly weight: number;
  readonly priority: PacingPriority;
  /** How long after its passage it is given back. */
  readonly openMs: number;
  /** When it is withdrawn, if it still waits. */
  readonly withdrawnAt: number;
}

interface Cooldown {
  readonly at: number;
  readonly ms: number;
}

interface Case {
  readonly rules: readonly Rule[];
  readonly maxOpen: number | undefined;
  readonly asked: readonly Asked[];
  readonly cooldowns: readonly Cooldown[];
}

/** Odd moments for cooldowns and withdrawals, so that nothing depends on who comes first within one. */
const asked = fc
  .array(
    fc.record({
      afterMs: fc.nat(8),
      key: fc.constantFrom('a', 'b', 'c'),
      weight: fc.nat(3),
      priority: fc.constantFrom<PacingPriority>('live', 'history'),
      openMs: fc.integer({ min: 1, max: 40 }).map((n) => 2 * n),
      patienceMs: fc.oneof({ arbitrary: fc.constant(Infinity), weight: 4 }, { arbitrary: fc.nat(30), weight: 1 }),
    }),
    { maxLength: 40 },
  )
  .map((list) => {
    let now = 0;
    return list.map(({ afterMs, patienceMs, ...one }, id): Asked => {
      now += 2 * afterMs;
      return { ...one, id, at: now, withdrawnAt: now + 2 * patienceMs + 1 };
    });
  });

const cases = fc.record<Case>({
  rules: fc.array(
    fc.record({
      limit: fc.integer({ min: 3, max: 6 }),
      perMs: fc.integer({ min: 1, max: 30 }).map((n) => 2 * n),
      isKeyed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  maxOpen: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  asked,
  cooldowns: fc.array(fc.record({ at: fc.nat(80).map((n) => 2 * n + 1), ms: fc.nat(20).map((n) => 2 * n + 1) }), {
    maxLength: 3,
  }),
});

/** When each passes, by the pacer: `undefined` for one that was withdrawn. */
function play({ rules, maxOpen, asked: all, cooldowns }: Case) {
  const scheduler = new VirtualTimeScheduler();
  const profile: PacingProfile<Asked> = {
    windows: rules.map(({ limit, perMs, isKeyed }) => ({
      ...{ limit, perMs, weight: ({ weight }: Asked) => weight },
      ...(isKeyed && { by: ({ key }: Asked) => key }),
    })),
    ...(maxOpen !== undefined && { maxOpen }),
  };
  const pacer = new SharedPacer<Asked>({ profile, scheduler });
  const passedAt: (number | undefined)[] = all.map(() => undefined);
  const order: number[] = [];
  for (const one of all) {
    scheduler.schedule(() => {
      const passed = () => {
        passedAt[one.id] = scheduler.now();
        order.push(one.id);
        scheduler.schedule(() => ticket.end(), one.openMs);
      };
      const ticket: PacerTicket = pacer.ask(one, { priority: one.priority, pass: passed });
      if (ticket.hasPassed) passed();
      if (one.withdrawnAt < Infinity) {
        scheduler.schedule(() => ticket.isWaiting && ticket.end(), one.withdrawnAt - one.at);
      }
    }, one.at);
  }
  for (const { at, ms } of cooldowns) scheduler.schedule(() => pacer.coolDown(ms), at);
  scheduler.flush();
  return { passedAt, order, left: scheduler.actions.length, counts: pacer.counts };
}

/**
 * The same, millisecond by millisecond, from nothing but the list of what has passed: who is asked in which order, and what those ahead
 * keep from those behind. Nobody withdraws.
 */
function model({ rules, maxOpen = Infinity, asked: all, cooldowns }: Case): (number | undefined)[] {
  const passedAt: (number | undefined)[] = all.map(() => undefined);
  const claims = all.map(() => new Set<string>());
  const lineOf = (place: number, { key }: Asked) => (rules[place]!.isKeyed ? `${place} ${key}` : `${place}`);
  let come: readonly Asked[] = [];
  let liveInARow = 0;
  const isRoom = (place: number, one: Asked, now: number) => {
    const { limit, perMs } = rules[place]!;
    const inside = all.filter(({ id }) => passedAt[id] !== undefined && passedAt[id] > now - perMs);
    const same = inside.filter((other) => lineOf(place, other) === lineOf(place, one));
    return same.reduce((sum, { weight }) => sum + weight, one.weight) <= limit;
  };
  const waiting = () => come.filter(({ id }) => passedAt[id] === undefined);
  const first = (now: number, open: number): Asked | undefined => {
    const [ahead, behind] = liveInARow >= HISTORY_TURN - 1 ? ['history', 'live'] : ['live', 'history'];
    const inOrder = [ahead, behind].flatMap((priority) => waiting().filter((one) => one.priority === priority));
    const kept = new Set<string>();
    for (const one of inOrder) {
      const places = one.weight === 0 ? [] : rules.map((_, place) => place);
      const blocked = places.filter((place) => !isRoom(place, one, now) || kept.has(lineOf(place, one)));
      const isShut = maxOpen < Infinity && (open >= maxOpen || kept.has('open'));
      if (blocked.length === 0 && !isShut) return one;
      for (const place of blocked) if (!rules[place]!.isKeyed) claims[one.id]!.add(lineOf(place, one));
      if (isShut) claims[one.id]!.add('open');
      for (const place of places) if (rules[place]!.isKeyed) kept.add(lineOf(place, one));
      const waitsForKey = blocked.some((place) => rules[place]!.isKeyed);
      const isFull = maxOpen < Infinity && open >= maxOpen;
      if (!waitsForKey) for (const line of claims[one.id]!) if (line === 'open' || !isFull) kept.add(line);
    }
    return undefined;
  };
  const letPass = (now: number, isOpen: (endsAt: number) => boolean) => {
    if (cooldowns.some(({ at, ms }) => at <= now && now < at + ms)) return;
    const open = () =>
      all.filter(({ id, openMs }) => passedAt[id] !== undefined && isOpen(passedAt[id] + openMs)).length;
    for (let one = first(now, open()); one; one = first(now, open())) {
      passedAt[one.id] = now;
      const isRival = waiting().some(({ priority }) => priority === 'history');
      liveInARow = one.priority === 'live' && isRival ? liveInARow + 1 : 0;
    }
  };
  for (let now = 0; passedAt.includes(undefined); now += 1) {
    for (const one of all.filter(({ at }) => at === now)) {
      come = [...come, one];
      letPass(now, (endsAt) => endsAt >= now);
    }
    letPass(now, (endsAt) => endsAt > now);
  }
  return passedAt;
}

describe('a shared pacer', () => {
  it('lets each pass in the very millisecond in which the naive model does', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { passedAt, left, counts } = play({
          ...one,
          asked: one.asked.map((each) => ({ ...each, withdrawnAt: Infinity })),
        });
        expect(passedAt).toEqual(model(one));
        expect([left, counts.waiting, counts.open]).toEqual([0, { live: 0, history: 0 }, 0]);
      }),
      { seed: 61, numRuns: 300 },
    );
  });

  it('breaks no window, has no more open than it may, and keeps the order of each key', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const { rules, maxOpen = Infinity, asked: all } = one;
        const { passedAt, order } = play(one);
        const passed = all.filter(({ id }) => passedAt[id] !== undefined);
        for (const { limit, perMs, isKeyed } of rules) {
          for (const { id, key } of passed) {
            const from = passedAt[id]!;
            const inside = passed.filter((other) => passedAt[other.id]! >= from && passedAt[other.id]! < from + perMs);
            const counted = inside.filter((other) => !isKeyed || other.key === key);
            expect(counted.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(limit);
          }
        }
        for (const { id } of passed) {
          const at = passedAt[id]!;
          const open = passed.filter((other) => passedAt[other.id]! <= at && at < passedAt[other.id]! + other.openMs);
          expect(open.length).toBeLessThanOrEqual(maxOpen);
        }
        if (!rules.some(({ isKeyed }) => isKeyed)) return;
        for (const key of ['a', 'b', 'c']) {
          for (const priority of ['live', 'history']) {
            const ids = order.filter(
              (id) => all[id]!.key === key && all[id]!.priority === priority && all[id]!.weight > 0,
            );
            expect(ids).toEqual([...ids].sort((a, b) => a - b));
          }
        }
      }),
      { seed: 62, numRuns: 300 },
    );
  });
});
