import { concat, defer, EMPTY, from, merge, mergeMap, type Observable, of, repeat, tap } from 'rxjs';
import type { DeadLetters } from '../../../contracts/diversion.js';
import type { Gap } from '../../../market/gap.js';
import type { MarketEvent } from '../../../market/recordKinds.js';
import { marketDataToStore } from '../../../pipelines/marketDataToStore.js';
import { run } from '../../../pipelines/run.js';
import { isRunError } from '../../../pipelines/runError.js';
import type { Store } from '../../../postgres/openStore.js';
import { storeLedger } from '../../../postgres/read/storeLedger.js';
import { count } from '../../../primitives/count.js';
import { oneLine } from '../../../primitives/oneLine.js';
import type { RepairOutcome } from '../../../providers/backfill/outcome.js';
import { repairSpan } from '../../../providers/backfill/repairSpan.js';
import type { Provider } from '../../../providers/provider.js';
import { type CommandContext, EXIT } from '../../commandContext.js';
import { formatError } from '../../formatError.js';
import { showProgress } from '../../progress.js';
import type { RepairAccount } from './repairAccount.js';
import { VendorPatience } from './vendorPatience.js';

export interface RepairJob {
  /** The next gap to be repaired, or `undefined` when there are no more. Asked by one at a time. */
  readonly next: () => Promise<Gap | undefined>;
  /** Who is asked for a gap, or why nobody can be. */
  readonly providerOf: (gap: Gap) => Promise<Provider | string>;
  /** Whether the gaps are new, and are to be recorded first. */
  readonly isNew: boolean;
  /** How much of a gap is asked at a time, in milliseconds; the default depends on its kind. */
  readonly chunkMsOf?: (gap: Gap) => number | undefined;
  readonly concurrency: number;
  readonly account: RepairAccount;
}

/**
 * Repairs gap after gap, several at a time, until all are repaired or a signal asks to stop. What is answered goes into the store as a
 * pipeline would write it.
 */
export async function repairGaps(context: CommandContext, store: Store, job: RepairJob): Promise<void> {
  const { account, concurrency } = job;
  const { coordinator, retry, breaker } = context.settings();
  const ledger = storeLedger(store.pool);
  const patience = new VendorPatience();
  const startedAt = performance.now();
  let rows = 0;
  let isStopping = false;
  let failure: string | undefined;

  const note = () => {
    const perSecond = rows / Math.max(1, (performance.now() - startedAt) / 1_000);
    const waiting = failure === undefined ? '' : `; waiting, as a write failed: ${failure}`;
    return `${count(rows)} records, ${count(Math.round(perSecond))}/s${waiting}`;
  };
  const progress = showProgress(context.terminal.stderr, account.total, note, {
    parts: (done, open) => [`${count(done)} of ${count(account.total)} spans`, `${count(open)} left open`, note()],
    line: (done, open) => {
      const share = account.total === 0 ? 100 : Math.floor((100 * done) / account.total);
      return `${share}%: ${count(done)} of ${count(account.total)} spans, ${count(open)} left open, ${note()}${timeLeft(done)}`;
    },
  });
  const timeLeft = (done: number) => {
    const fresh = done - account.skipped;
    if (fresh <= 0 || done >= account.total) return '';
    const seconds = ((performance.now() - startedAt) / 1_000 / fresh) * (account.total - done);
    return `, about ${Math.ceil(seconds)} s left`;
  };
  const tell = () => progress.update(account.done, account.open);

  const repaired = (gap: Gap, provider: Provider): Observable<MarketEvent> => {
    const chunkMs = job.chunkMsOf?.(gap);
    let outcome: RepairOutcome | undefined;
    const records$ = repairSpan(gap, {
      ...{ providers: [provider], ledger },
      ...(chunkMs !== undefined && { chunkMs }),
      onChunk(chunk) {
        rows += chunk.rows;
        tell();
      },
      onOutcome(found) {
        outcome = found;
      },
    }).pipe(
      tap({
        complete() {
          if (outcome) {
            account.settle(outcome);
            patience.note(outcome);
          } else {
            account.leave(gap, 'stopped', 'the job was stopped before it was answered');
          }
          tell();
        },
      }),
    );
    return job.isNew && gap.reason == null ? concat(of(gap), records$) : records$;
  };

  let hasMore = true;
  let taking: Promise<unknown> = Promise.resolve();
  /** The plan is read by one at a time. */
  const take = (): Promise<Gap | undefined> => {
    const taken = taking.then(() => (hasMore && !isStopping ? job.next() : undefined));
    taking = taken.catch(() => {});
    return taken;
  };
  const step = async (): Promise<Observable<MarketEvent>> => {
    const gap = await take();
    if (!gap) {
      hasMore = false;
      return EMPTY;
    }
    const giveUp = patience.giveUp(gap);
    const provider = giveUp ?? (await job.providerOf(gap));
    if (typeof provider !== 'string') return repaired(gap, provider);
    account.leave(gap, giveUp === undefined ? 'provider' : 'givenUp', provider);
    tell();
    return EMPTY;
  };
  const worker$ = defer(() => from(step())).pipe(
    // Bounded because a worker has one gap at a time.
    mergeMap((records$) => records$),
    repeat({ delay: () => (hasMore && !isStopping ? of(true) : EMPTY) }),
  );

  const refused: DeadLetters<MarketEvent> = {
    // Nothing is lost: a gap is not closed while records of the answer are not in the store.
    append({ items, error }) {
      if (account.refused === 0) progress.say(`the store refuses a record: ${oneLine(formatError(error))}`);
      account.refused += items.length;
      return [undefined];
    },
  };
  const outcomes$ = merge(...Array.from({ length: concurrency }, () => worker$)).pipe(
    marketDataToStore(store.pool, {
      coordinator,
      policies: {
        ...{ retry, breaker, deadLetters: refused },
        classify(error) {
          failure = oneLine(formatError(error));
          return undefined;
        },
      },
    }),
    tap(() => {
      failure = undefined;
    }),
  );
  const observer = {
    draining(reason: string) {
      isStopping = true;
      if (reason !== 'failure')
        progress.say('stopping: what was answered is written; press Ctrl-C again to stop sooner');
    },
  };
  try {
    await run(outcomes$, { emitter: context.terminal.signals, observe: [observer] });
  } catch (error) {
    context.exitCode = EXIT.FAILED;
    await context.report(`error: ${formatError(isRunError(error) ? error.cause : error)}`);
  } finally {
    progress.stop();
  }
}
