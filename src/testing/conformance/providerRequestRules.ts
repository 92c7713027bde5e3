import { ok as assert, deepStrictEqual, equal } from 'node:assert/strict';
import { inspect } from 'node:util';
import { BehaviorSubject } from 'rxjs';
import { isProviderError } from '../../providers/providerErrors.js';
import type { Series } from '../../providers/session.js';
import type { ProviderBench, ProviderRules } from './providerBench.js';
import type { ProviderTrial } from './providerTrial.js';

/** The second symbol, which is asked for while the others are live, counts as refused and is named, and the others go on. */
async function refusesSecond(bench: ProviderBench, withinMs: number): Promise<ProviderTrial> {
  const [one, refused, other] = [bench.symbol(0), bench.symbol(1), bench.symbol(2)];
  const symbols = new BehaviorSubject<readonly string[]>([one, other]);
  const trial = await bench.live({ symbols });
  symbols.next([one, refused, other]);
  await bench.until(() => trial.feed.refused === 1, 'the second symbol counts as refused', withinMs, trial);
  const notice = trial.feed.lastNotice ?? '';
  assert(notice.includes(refused), `the notice must name ${refused}, but says "${notice}"`);
  const named = bench.heard.refused.map(({ series }) => series.symbol);
  deepStrictEqual(named, [refused], 'onRefused must name the series that is refused, and no other');
  await bench.publish(trial, ...[one, other].map((symbol) => bench.record(bench.kind, symbol, 0, { moment: 30 })));
  deepStrictEqual([trial.errors, trial.feed.confirmed, trial.gaps], [[], 2, []], 'the others must go on');
  return trial;
}

/** The stream ends without another attempt, and says why in the words of the vendor. */
async function endsFor(bench: ProviderBench, why: 'credentials' | 'entitlement', code: string): Promise<void> {
  bench.venue.rejectLogins(why);
  const trial = bench.subscribe();
  await bench.until(() => trial.errors.length + trial.completions > 0, 'the stream ends');
  const [error] = trial.errors;
  assert(isProviderError(error), `it must fail with a ProviderError, but got ${inspect(error)}`);
  equal(error.code, code);
  equal(error.retryable, false, 'another attempt makes no sense');
  assert(error.cause !== undefined && error.cause !== '', 'its cause must have the words of the vendor');
  const { length } = bench.venue.accepted;
  await bench.pass(300_000);
  assert(length <= 1 && bench.venue.accepted.length === length, 'it must not try again');
  await bench.released();
}

/** PR-6: what is asked for. PR-7: secrets. */
export const requestRules = {
  async 'PR-6.1: symbols are added and removed while it runs, and the others are left alone'(bench) {
    const [removed, kept, added] = [bench.symbol(0), bench.symbol(1), bench.symbol(2)];
    const symbols = new BehaviorSubject<readonly string[]>([removed, kept]);
    const trial = await bench.live({ symbols });
    const before = new Set(bench.venue.subscriptions);
    symbols.next([kept, added]);
    bench.venue.publish([bench.record(bench.kind, kept, 0)]);
    const isChanged = () => {
      const { subscriptions } = bench.venue;
      return subscriptions.length === before.size && subscriptions.some((subscription) => !before.has(subscription));
    };
    await bench.until(isChanged, 'the subscriptions have changed', undefined, trial);
    await bench.isLive(trial);
    bench.venue.publish([bench.record(bench.kind, removed, 0)]);
    await bench.publish(trial, bench.record(bench.kind, kept, 1), bench.record(bench.kind, added, 0));
    deepStrictEqual(trial.of(bench.kind, removed), [], 'a symbol that was removed must deliver nothing');
    equal(trial.of(bench.kind, kept).length, 2, 'a symbol that was kept must miss nothing and repeat nothing');
    deepStrictEqual(trial.gaps, [], 'a change of symbols is no gap');
    equal(bench.venue.accepted.length, 1, 'a change of symbols is no reason to connect again');
    symbols.next([kept, added, removed]);
    await bench.until(() => trial.feed.asked === 3, 'the third is asked for');
    await bench.isLive(trial);
    await bench.publish(trial, bench.record(bench.kind, removed, 0, { moment: 5 }));
  },
  async 'PR-6.2: a symbol that the vendor ignores is refused in time and named, and the others go on'(bench) {
    bench.venue.ignoreSymbol(bench.symbol(1));
    const before = bench.clock.now();
    await refusesSecond(bench, 2 * bench.settings.confirmAfterMs);
    assert(bench.clock.now() - before >= bench.settings.confirmAfterMs, 'it must give the vendor time to answer');
  },
  async 'PR-6.3: a symbol that the vendor refuses is named with its words, and the others go on'(bench) {
    bench.venue.refuseSymbol(bench.symbol(1));
    const trial = await refusesSecond(bench, bench.settings.confirmAfterMs / 2);
    const { connections } = bench.venue;
    await bench.pass(60_000);
    deepStrictEqual([bench.venue.accepted.length, connections], [1, 1], 'it must not connect again for that');
    equal(trial.feed.refused, 1);
  },
  async 'PR-6.4: a wrong key ends the stream with the words of the vendor'(bench) {
    await endsFor(bench, 'credentials', 'SLUICE_BAD_CREDENTIALS');
  },
  async 'PR-6.5: a missing entitlement ends the stream with the words of the vendor'(bench) {
    await endsFor(bench, 'entitlement', 'SLUICE_NOT_ENTITLED');
  },
  async 'PR-6.6: a series that is not confirmed again after a reset is missing, and the others go on'(bench) {
    const [kept, lost] = [bench.symbol(0), bench.symbol(1)];
    const trial = await bench.live({ symbols: [kept, lost] });
    await bench.publish(trial, ...[kept, lost].map((symbol) => bench.record(bench.kind, symbol, 0)));
    bench.venue.ignoreSymbol(lost);
    bench.venue.reset();
    // Some vendors answer a request as a whole: that the other symbol is alive shows by its data only.
    const isMissing = () => trial.gapsOf(lost).length > 0;
    for (let index = 1; index <= 60 && !isMissing(); index += 1) {
      await bench.pass(5_000);
      bench.venue.publish([bench.record(bench.kind, kept, index, { moment: 5 * index })]);
    }
    assert(isMissing(), `${lost} has no gap record`);
    await bench.publish(trial, bench.record(bench.kind, kept, 61, { moment: 600 }));
    equal(trial.feed.confirmed, 1, `${kept} is confirmed again`);
    equal(trial.feed.asked, 2, 'both are still wanted');
    assert(trial.feed.confirmed < 2, `${lost} must not count as confirmed`);
    deepStrictEqual([trial.errors, trial.completions], [[], 0], 'one series ends no stream');
  },
  async 'PR-6.7: a series that is known from before has a gap record from there until it is confirmed'(bench) {
    const [known, fresh, later] = [bench.symbol(0), bench.symbol(1), bench.symbol(2)];
    const beginning = bench.clock.now();
    const until: Readonly<Record<string, number>> = { [known]: beginning - 3_600_000, [later]: beginning - 7_200_000 };
    const asked: string[] = [];
    const resumeFrom = ({ symbol }: Series) => {
      asked.push(symbol);
      return until[symbol];
    };
    const symbols = new BehaviorSubject<readonly string[]>([known, fresh]);
    const trial = await bench.live({ symbols, resumeFrom });
    const addedAt = bench.clock.now();
    symbols.next([known, fresh, later]);
    await bench.until(() => trial.feed.asked === 3, 'the third is asked for');
    await bench.isLive(trial);
    const liveAt = bench.clock.now();
    const first = [known, fresh, later].map((symbol) => bench.record(bench.kind, symbol, 0, { moment: 10 }));
    await bench.publish(trial, ...first);
    for (const [symbol, wanted, isKnown] of [
      [known, beginning, true],
      [later, addedAt, true],
      [fresh, beginning, false],
    ] as const) {
      const restarts = trial.gapsOf(symbol).filter(({ cause }) => cause === 'restart');
      equal(restarts.length, isKnown ? 1 : 0, `${symbol} has ${restarts.length} gap records of the restart`);
      for (const { from, to, of, state } of restarts) {
        deepStrictEqual({ from, of, state }, { from: until[symbol], of: bench.kind, state: 'open' });
        const isRight = to >= wanted && to <= liveAt;
        assert(isRight, `the gap record of ${symbol} ends at ${to}, rather than between ${wanted} and ${liveAt}`);
        const isBefore = trial.events.findIndex(({ kind }) => kind === 'gap') < trial.events.indexOf(trial.records[0]!);
        assert(isBefore, 'it must come before the records');
      }
    }
    deepStrictEqual(asked.sort(), [known, fresh, later].sort(), 'each series must be asked for once');
    const { length } = trial.gaps;
    bench.venue.reset();
    await bench.until(() => bench.venue.accepted.length > 1, 'it connects again', 10_000, trial);
    await bench.isLive(trial);
    const after = trial.gaps.slice(length).filter(({ cause }) => cause === 'restart');
    deepStrictEqual([after, asked.length], [[], 3], 'a reconnect is no restart');
  },
  async 'PR-7.1: no output shows a secret'(bench) {
    const { secret } = bench.venue;
    const trial = await bench.live({ kinds: bench.kinds });
    const notices = new Set<unknown>();
    const look = () => notices.add(trial.feed);
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 0));
    bench.venue.publishMalformed([bench.record(bench.kind, bench.symbol(0), 1)], 0);
    await bench.until(() => trial.feed.unreadable === 1, 'a malformed element is counted');
    look();
    for (const upset of [() => bench.venue.reset(), () => bench.venue.send('}{ no protocol')]) {
      const { length } = bench.venue.accepted;
      upset();
      await bench.until(() => trial.feed.state === 'down' || bench.venue.accepted.length > length, 'it is down');
      look();
      await bench.until(() => bench.venue.accepted.length > length, 'it connects again', 10_000);
      await bench.isLive(trial);
    }
    await bench.publish(trial, bench.record(bench.kind, bench.symbol(0), 2, { moment: 60 }));
    bench.venue.rejectLogins('credentials');
    bench.venue.reset();
    await bench.until(() => trial.errors.length > 0 || trial.feed.state === 'down', 'the login is rejected');
    await bench.pass(10_000);
    look();
    const output = inspect([trial.events, trial.errors, [...notices], bench.heard], {
      depth: 12,
      maxArrayLength: null,
    });
    assert(secret === '' || !output.includes(secret), 'a secret is in its records, errors, notices or reports');
  },
} satisfies ProviderRules;
