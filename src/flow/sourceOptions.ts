import type { SchedulerLike } from 'rxjs';
import { eventLoopScheduler } from '../primitives/eventLoopScheduler.js';
import { duration, having, type OptionsOf, text } from '../primitives/options.js';

/** What every stock source can be told. */
export interface SourceConfig {
  /** Where the source resumes after it has yielded to the event loop. Default: after one turn of the event loop. */
  readonly scheduler?: SchedulerLike;
  /** How long the source may run before it yields, in milliseconds of the scheduler's clock. From 0, default 20. */
  readonly yieldAfterMs?: number;
  /** The name in topology, metrics and the report. Default: the name of the source. */
  readonly name?: string;
}

export function sourceOptions(name: string) {
  return {
    scheduler: having('now', 'schedule').default(eventLoopScheduler),
    yieldAfterMs: duration().default(20),
    name: text().default(name),
  } satisfies OptionsOf<SourceConfig>;
}
