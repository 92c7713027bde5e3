import { readFileSync } from 'node:fs';
import fc from 'fast-check';

interface Failing {
  readonly seed: number;
  /** Where in the run of that seed the counterexample is, as fast-check prints it. */
  readonly path: string;
  /** What was wrong. */
  readonly was: string;
}

/** Seeds that have failed once, by the name of the property. Each failure that is found is added, with what was wrong. */
const FAILED: Readonly<Record<string, readonly Failing[]>> = JSON.parse(
  readFileSync(new URL('./seeds.json', import.meta.url), 'utf8'),
);

/** Asserts a property: first what has failed before, then `numRuns` from a fixed seed. */
export function holds<Ts>(name: string, property: fc.IProperty<Ts>, run: { seed: number; numRuns: number }): void {
  for (const { seed, path } of FAILED[name] ?? []) fc.assert(property, { seed, path, endOnFailure: true });
  fc.assert(property, run);
}

/** The same for a property that takes its time. */
export async function holdsAsync<Ts>(
  name: string,
  property: fc.IAsyncProperty<Ts>,
  run: { seed: number; numRuns: number },
): Promise<void> {
  for (const { seed, path } of FAILED[name] ?? []) await fc.assert(property, { seed, path, endOnFailure: true });
  await fc.assert(property, run);
}
