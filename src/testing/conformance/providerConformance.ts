import { duration } from '../../primitives/options.js';
import type { FakeVenue } from '../venues/fakeVenue.js';
import { ProviderBench } from './providerBench.js';
import { contentRules } from './providerContentRules.js';
import { lifeRules } from './providerLifeRules.js';
import { readerRules } from './providerReaderRules.js';
import { reconnectRules } from './providerReconnectRules.js';
import { requestRules } from './providerRequestRules.js';
import type { ProviderSubject } from './providerSubject.js';
import { type RuleTest, rulesOf, testsOf, titlesOf } from './testsOf.js';

const RULES = rulesOf({ ...lifeRules, ...reconnectRules, ...contentRules, ...readerRules, ...requestRules });

const DEFAULT_TIMEOUT_MS = 10_000;

/** A rule that is not expected to hold is not waited for as long. */
const EXEMPTED_TIMEOUT_MS = 500;

/** The id of a rule: `PR-3.2`. */
export type ProviderRuleId = (typeof RULES)[number]['id'];

/** A rule for one provider as a test. The promise of `run()` rejects if the provider breaks the rule. */
export type ProviderConformanceTest = RuleTest<ProviderRuleId, Promise<void>>;

/** Every rule, in order. */
export const PROVIDER_RULES = titlesOf(RULES);

/**
 * The rules that every provider of Sluice keeps, as tests for your own, against a fake of its vendor that misbehaves on command. Sockets are
 * real and time is virtual: a rule that waits for a minute takes milliseconds, and none depends on the speed of the machine.
 *
 * So the provider must wait on the `scheduler` that it is given, and nowhere else; one that is made with `defineProvider()` does when it is given
 * all settings. A fake with timers of its own, for heartbeats, takes the same `scheduler`.
 *
 * A rule that cannot hold is listed in `notApplicable` with the reason. A rule that is listed there but holds is a failure, so
 * that no exemption outlives its reason.
 *
 * @example
 * ```ts
 * import { defineProvider, type ProviderParts } from 'sluice/providers';
 * import { type FakeVenue, providerConformance } from 'sluice/testing';
 * import { describe, it } from 'vitest';
 *
 * declare function startFakeAcme(): Promise<FakeVenue>;
 * declare function acme(url: string, key: string): ProviderParts;
 *
 * describe('the provider for Acme', () => {
 *   const tests = providerConformance({
 *     name: 'acme',
 *     open: () => startFakeAcme(),
 *     provider: (venue, settings) => defineProvider(acme(venue.url, venue.secret), settings),
 *     symbols: ['AAPL', 'BRK B', 'TpC'],
 *     notApplicable: { 'PR-4.2': 'it has no bars' },
 *   });
 *   for (const { id, title, run } of tests) it(`${id} ${title}`, run);
 * });
 * ```
 */
export function providerConformance<V extends FakeVenue>(
  subject: ProviderSubject<V, ProviderRuleId>,
): ProviderConformanceTest[] {
  duration({ min: 1 }).read(subject.name, 'timeoutMs', subject.timeoutMs);
  duration().read(subject.name, 'settle.ms', subject.settle?.ms);
  return testsOf(subject, RULES, async (check) => {
    const exempted = RULES.some((rule) => rule.check === check && subject.notApplicable?.[rule.id] !== undefined);
    const timeoutMs = Math.min(subject.timeoutMs ?? DEFAULT_TIMEOUT_MS, exempted ? EXEMPTED_TIMEOUT_MS : Infinity);
    const bench = await ProviderBench.open({ ...(subject as unknown as ProviderSubject), timeoutMs });
    try {
      await check(bench);
      bench.keepsLimits();
    } finally {
      await bench.close();
    }
  });
}
