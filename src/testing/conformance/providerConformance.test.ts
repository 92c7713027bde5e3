import { describe, expect, it } from 'vitest';
import { MUTANTS, mutantProvider } from '../../../test/support/reference/mutants.js';
import { referenceProvider } from '../../../test/support/reference/referenceProvider.js';
import { ReferenceVenue } from '../../../test/support/reference/referenceVenue.js';
import { PROVIDER_RULES, type ProviderRuleId, type ProviderSubject, providerConformance } from '../index.js';

type Subject = ProviderSubject<ReferenceVenue, ProviderRuleId>;

const REFERENCE: Subject = {
  name: 'reference',
  open: () => ReferenceVenue.start(),
  provider: referenceProvider,
  symbols: ['AAPL', 'BRK B', 'TpC'],
};

/** The rules that a provider breaks, of those given. */
async function broken(subject: Subject, of: readonly ProviderRuleId[]): Promise<ProviderRuleId[]> {
  const caught: ProviderRuleId[] = [];
  for (const { id, run } of providerConformance(subject)) {
    if (!of.includes(id)) continue;
    await run().catch(() => caught.push(id));
  }
  return caught;
}

describe('providerConformance', () => {
  describe('passes a provider that keeps every rule', () => {
    for (const { id, title, run } of providerConformance(REFERENCE)) it(`${id} ${title}`, run);
  });

  for (const { what, rules, ...mutation } of MUTANTS) {
    it(`catches a provider that ${what}`, async () => {
      // What it waits for in vain never comes.
      const subject = { ...REFERENCE, name: 'mutant', provider: mutantProvider(mutation), timeoutMs: 250 };
      expect(await broken(subject, rules)).toEqual([...rules]);
    });
  }

  it('has a provider that breaks it for every rule', () => {
    const caught = new Set(MUTANTS.flatMap(({ rules }) => rules));
    expect(PROVIDER_RULES.filter(({ id }) => !caught.has(id))).toEqual([]);
  });

  it('says which rule is broken, and how', async () => {
    const subject = { ...REFERENCE, name: 'mutant', provider: mutantProvider({ config: { quotaCooldownMs: 0 } }) };
    const test = providerConformance(subject).find(({ id }) => id === 'PR-3.9');
    await expect(test?.run()).rejects.toThrow(
      /^mutant breaks PR-3\.9 \(.*\): it came again after 1000 ms, and threw out/,
    );
  });

  it('fails where a kind is missing without a word, and where a rule is exempted and holds', async () => {
    const tradesOnly: Subject = { ...REFERENCE, kinds: ['trade'] };
    expect(await broken(tradesOnly, ['PR-4.2', 'PR-5.4'])).toEqual(['PR-4.2', 'PR-5.4']);
    const exempted: Subject = { ...tradesOnly, notApplicable: { 'PR-4.2': 'it has no bars' } };
    expect(await broken(exempted, ['PR-4.2'])).toEqual([]);
    const held = providerConformance({ ...REFERENCE, notApplicable: { 'PR-1.1': 'no reason' } });
    await expect(held.find(({ id }) => id === 'PR-1.1')?.run()).rejects.toThrow('remove it from notApplicable');
  });

  it('fails in any rule where the vendor has counted too many requests', async () => {
    const counting: Subject = {
      ...REFERENCE,
      async open() {
        const venue = await ReferenceVenue.start();
        venue.violations.push('more than 5 messages in a second');
        return venue;
      },
    };
    const [first] = providerConformance(counting);
    await expect(first?.run()).rejects.toThrow("it must keep the vendor's limits");
  });

  it('closes the venue of each rule, held or broken', async () => {
    let open = 0;
    const counting: Subject = {
      ...REFERENCE,
      async open() {
        const venue = await ReferenceVenue.start();
        const close = venue.close.bind(venue);
        open += 1;
        venue.close = () => {
          open -= 1;
          return close();
        };
        return venue;
      },
    };
    expect(
      await broken({ ...counting, provider: mutantProvider({ config: { quotaCooldownMs: 0 } }) }, ['PR-3.9']),
    ).toEqual(['PR-3.9']);
    expect(await broken(counting, ['PR-1.1'])).toEqual([]);
    expect(open).toBe(0);
  });

  it('refuses exemptions from unknown rules, and limits that are none', () => {
    expect(() => providerConformance({ ...REFERENCE, notApplicable: { 'PR-9.9': 'x' } as never })).toThrow(/PR-9\.9/);
    expect(() => providerConformance({ ...REFERENCE, timeoutMs: 0 })).toThrow(RangeError);
    const settle = { ms: -1, because: 'x' };
    expect(() => providerConformance({ ...REFERENCE, settle })).toThrow('settle.ms');
  });

  it('numbers its rules in order, each once', () => {
    const ids = PROVIDER_RULES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });
});
