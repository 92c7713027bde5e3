/** How many damaged frames each provider is given. A million before a release: `npm run test:fuzz -- --count 1000000`. */
export const FUZZ_FRAMES = Number(process.env.FUZZ_FRAMES ?? 20_000);

/** What a million frames may take on a slow machine. */
export const FUZZ_TIMEOUT_MS = 900_000;

/** Prints what became of so many frames that one wants to know. */
export function tellFuzz(venue: string, report: object): void {
  if (process.env.FUZZ_FRAMES) console.log(`${venue}: ${JSON.stringify(report)}`);
}
