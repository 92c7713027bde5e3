import type { WriteOutcome } from '../../contracts/sink.js';
import type { Operation } from '../../flow/operate.js';
import type { AttemptHost } from './attempts.js';

/** What a job is given by the writer that it is one batch of. */
export interface JobHost<T, Job> extends AttemptHost<T>, Pick<Operation<never>, 'stage'> {
  readonly random: () => number;
  /** So many items are settled: written, or their dead letter is durable. */
  settled(count: number): void;
  emit(outcome: WriteOutcome<T>): void;
  /** Every item of the job is settled, and its outcomes are emitted. */
  done(job: Job): void;
  /** The writer cannot go on. What the job still has in hand stays held. */
  fail(error: unknown): void;
  /** The writer cannot go on; what it has in hand goes to the dead letters. */
  abort(error: unknown): void;
}
