import { Xoshiro128 } from '../../src/primitives/xoshiro128.js';
import type { Direction } from '../../src/testing/index.js';

/** What is done to the line between the pipeline and its server, or to the server. */
export type FaultStep =
  | { readonly kind: 'cut' | 'reset'; readonly direction: Direction; readonly afterBytes: number }
  | { readonly kind: 'stall'; readonly direction: Direction; readonly afterBytes: number; readonly forMs: number }
  | { readonly kind: 'drip'; readonly direction: Direction; readonly bytes: number; readonly forMs: number }
  | {
      readonly kind: 'vanish';
      readonly direction: Direction;
      readonly afterBytes: number;
      readonly times: number;
      readonly serverNoticesMs: number;
    }
  /** After so many of the rows of its part. */
  | { readonly kind: 'halfOpen'; readonly afterRows: number }
  /** The server ends its sessions, which the pipeline hears of later. */
  | { readonly kind: 'slowClose'; readonly forMs: number }
  | { readonly kind: 'dropCommitReply'; readonly how: 'cut' | 'reset' | 'stall'; readonly times: number }
  | { readonly kind: 'sever'; readonly how: 'cut' | 'reset' }
  | { readonly kind: 'refuse'; readonly forMs: number }
  | { readonly kind: 'terminate' }
  | { readonly kind: 'restart'; readonly how: 'fast' | 'immediate' }
  | { readonly kind: 'restartPooler' };

/** Where a PgBouncer in transaction mode stands: on this side of the line that breaks, or beyond it. */
export type PoolerPlace = 'here' | 'beyond';

/** One run, all of it from one number. */
export interface FaultScript {
  readonly seed: number;
  readonly steps: readonly FaultStep[];
  readonly workers: number;
  readonly batchSize: number;
  readonly strategy: 'auto' | 'unnest' | 'copyUpsert' | 'copy';
  /** With 1, every failure ends in the dead letters. */
  readonly maxAttempts: number;
  readonly hasBreaker: boolean;
  readonly timeoutMs: number;
  readonly pooler: PoolerPlace | undefined;
}

/** So much traffic a connection sees, each way, while a step lasts: a step that waits for more may wait for good. */
const BYTES_THERE = 20_000;
const BYTES_BACK = 24;

export function faultScript(seed: number): FaultScript {
  const random = Xoshiro128.fromSeed(seed);
  const pick = <V>(values: readonly V[]): V => values[random.below(values.length)] as V;
  const between = (from: number, to: number) => from + random.below(to - from + 1);
  const directed = () => {
    const direction = pick(['toServer', 'toClient'] as const);
    return { direction, afterBytes: random.below(direction === 'toServer' ? BYTES_THERE : BYTES_BACK) };
  };
  const lostReply = (): FaultStep => ({
    kind: 'dropCommitReply',
    how: pick(['cut', 'reset', 'stall']),
    times: between(1, 3),
  });
  const kinds: (() => FaultStep)[] = [
    lostReply,
    () => ({ kind: 'cut', ...directed() }),
    () => ({ kind: 'cut', ...directed() }),
    () => ({ kind: 'reset', ...directed() }),
    () => ({ kind: 'stall', ...directed(), forMs: between(20, 500) }),
    () => {
      const direction = pick(['toServer', 'toClient'] as const);
      const bytes = direction === 'toServer' ? between(200, 4_000) : between(1, 20);
      return { kind: 'drip', direction, bytes, forMs: between(20, 200) };
    },
    () => ({ kind: 'vanish', ...directed(), times: between(1, 3), serverNoticesMs: between(50, 600) }),
    () => ({ kind: 'halfOpen', afterRows: between(1, 2_000) }),
    () => ({ kind: 'slowClose', forMs: between(20, 500) }),
    () => ({ kind: 'sever', how: pick(['cut', 'reset']) }),
    () => ({ kind: 'refuse', forMs: between(10, 200) }),
    () => ({ kind: 'terminate' }),
  ];
  const pooler = pick([undefined, undefined, 'here', 'beyond'] as const);
  if (pooler) kinds.push(() => ({ kind: 'restartPooler' }));
  // Every script loses the reply to a commit; a third of them restart the server.
  const steps = [lostReply(), ...Array.from({ length: between(4, 7) }, () => pick(kinds)())];
  if (seed % 3 === 0) steps.push({ kind: 'restart', how: pick(['fast', 'immediate']) });
  for (let i = steps.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [steps[i], steps[j]] = [steps[j]!, steps[i]!];
  }
  return {
    seed,
    steps,
    workers: between(1, 4),
    batchSize: pick([100, 500, 2_000]),
    strategy: pick(['auto', 'auto', 'unnest', 'copyUpsert', 'copy']),
    maxAttempts: pick([1, 2, 5, 10]),
    hasBreaker: random.below(2) === 0,
    timeoutMs: between(150, 400),
    pooler,
  };
}
