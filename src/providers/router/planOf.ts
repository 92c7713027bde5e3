import { Failover } from './failover.js';
import type { Lane } from './lane.js';
import { Merging } from './merging.js';
import { Partitioning } from './partitioning.js';
import type { Plan } from './plan.js';
import { rendezvous } from './rendezvous.js';
import type { RouterSettings } from './routerConfig.js';

/** What decides for these providers. */
export function planOf(
  { strategy, partition: rule = rendezvous }: Pick<RouterSettings, 'strategy' | 'partition'>,
  lanes: readonly Lane[],
): Plan {
  const providers = lanes.map(({ health }) => health);
  if (strategy === 'merge') return new Merging(providers);
  if (strategy === 'failover') return new Failover(providers);
  const names = lanes.map(({ name }) => name);
  const has = (i: number, symbol: string) => lanes[i]!.spelling.spelled(symbol) !== undefined;
  return new Partitioning({ providers, names, has, rule });
}
