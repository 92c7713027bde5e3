import type { SinkBench } from './sinkBench.js';

/** What every sink must do, as a check against the real thing. */
export interface SinkRule {
  readonly id: string;
  readonly title: string;
  check<T>(bench: SinkBench<T>): Promise<void>;
}
