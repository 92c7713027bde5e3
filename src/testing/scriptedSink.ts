import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  finalize,
  from,
  NEVER,
  type Observable,
  of,
  type SchedulerLike,
  switchMap,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Sink, WriteReceipt } from '../contracts/sink.js';
import {
  duration,
  func,
  having,
  type OptionsOf,
  oneOf,
  readArgument,
  readOptions,
  text,
  unchecked,
} from '../primitives/options.js';
import { WriteLog } from './writeLog.js';

/**
 * What a write does. `ok` commits. `slow` commits after 100 ms or its `afterMs`. `emptyComplete` commits without a receipt,
 * `emitTwice` with two, of which the last is right. `throw` throws from `write()` itself, `error` fails like an Observable, and
 * `reject` like a promise, outside of virtual time. `poison` rejects a batch with an item that its `poison` selects and commits
 * others. `commitThenFail` commits and fails as if the reply were lost. `hang` never ends, and neither does `receiptThenHang`,
 * which emits a receipt first; neither commits.
 */
export type SinkAct = (typeof ACTS)[number];

const ACTS = [
  'ok',
  'slow',
  'emptyComplete',
  'emitTwice',
  'throw',
  'error',
  'reject',
  'poison',
  'commitThenFail',
  'hang',
  'receiptThenHang',
] as const;

/** One step of a script with details. */
export interface SinkStep<T> {
  readonly act: SinkAct;
  /** How long it takes, in milliseconds of the scheduler. From 0, default 0, or 100 for `slow`. */
  readonly afterMs?: number;
  /** What it fails with. Default: an error that names the call. */
  readonly error?: unknown;
  /**
   * The `code` of the default error: an SQLSTATE (`40001` is transient, `23505` poison, `42P01` fatal) or a system code.
   * Default: `22P02` for `poison`, `ECONNRESET` for `commitThenFail`, otherwise none.
   */
  readonly code?: string;
  /** Which items the act `poison` rejects. Default: all. */
  readonly poison?: (item: T) => boolean;
}

/** One step per call of `write()`; calls are counted from 1. */
export type SinkScript<T> =
  | readonly (SinkAct | SinkStep<T>)[]
  | ((batch: readonly T[], call: number) => SinkAct | SinkStep<T>);

export interface ScriptedSinkConfig<T> {
  /** What each call does: a list or a function. Default: an empty list. */
  readonly script?: SinkScript<T>;
  /** What calls beyond the list do. Default `ok`. */
  readonly otherwise?: SinkAct | SinkStep<T>;
  /** Default `asyncScheduler`, which is virtual inside {@link marbles}. */
  readonly scheduler?: SchedulerLike;
  /** The key of an item, if writes of one key must stay in order. Default: none. */
  readonly keyOf?: (item: T) => string | number;
  /** The name in metrics, errors and the report. Default `scriptedSink`. */
  readonly name?: string;
}

/** One call and its result. */
export interface SinkCall<T> {
  readonly batch: readonly T[];
  readonly act: SinkAct;
  /** `lost`: committed, but reported as failed. `abandoned`: unsubscribed before its end. */
  readonly result: 'pending' | 'written' | 'lost' | 'failed' | 'abandoned';
}

/** A sink that follows its script and records its calls. */
export interface ScriptedSink<T> extends Sink<T> {
  /** The committed batches in the order of their commits, including those whose reply was lost. */
  readonly written: readonly (readonly T[])[];
  /** Every call that was subscribed or has thrown, in order. */
  readonly calls: readonly SinkCall<T>[];
  /** The number of pending calls. */
  readonly inFlight: number;
  readonly maxInFlight: number;
}

const OWNER = 'scriptedSink';

const ACT = oneOf(ACTS);

const OPTIONS = {
  script: unchecked(),
  otherwise: unchecked(),
  scheduler: having('now', 'schedule').default(asyncScheduler),
  keyOf: func(),
  name: text().default(OWNER),
} satisfies OptionsOf<ScriptedSinkConfig<unknown>>;

const STEP = {
  act: ACT.required(),
  afterMs: duration(),
  error: unchecked(),
  code: text(),
  poison: func(),
} satisfies OptionsOf<SinkStep<unknown>>;

const SLOW_MS = 100;

/**
 * A sink that fails on request: a script says what each call does. Writes are cold Observables, so they run in virtual time;
 * only `reject` is a promise.
 *
 * @example
 * ```ts
 * import { from } from 'rxjs';
 * import { batch, writeTo } from 'sluice/operators';
 * import { scriptedSink } from 'sluice/testing';
 *
 * const sink = scriptedSink<number>({ script: [{ act: 'error', code: '40001' }, 'commitThenFail'] });
 * from([1, 2, 3])
 *   .pipe(batch({ size: 3 }), writeTo(sink, { retry: { maxAttempts: 3 } }))
 *   .subscribe({ complete: () => console.log(sink.calls.map(({ result }) => result)) });
 * ```
 */
export function scriptedSink<T>(config: ScriptedSinkConfig<T> = {}): ScriptedSink<T> {
  const { script, otherwise, scheduler, keyOf, name } = readOptions(OWNER, config, OPTIONS);
  const stepAt = scriptOf<T>(script ?? [], stepOf('otherwise', otherwise ?? 'ok'));
  const log = Object.assign(new WriteLog<T>(), { calls: [] as Mutable<SinkCall<T>>[] });
  let begun = 0;

  const record = (batch: readonly T[], act: SinkAct) => {
    const call: Mutable<SinkCall<T>> = { batch, act, result: 'pending' };
    log.calls.push(call);
    const end = log.begin();
    return (result: SinkCall<T>['result']) => {
      if (call.result === 'pending') call.result = result;
      end();
    };
  };

  const begin = (batch: readonly T[]) => {
    begun += 1;
    return { number: begun, step: stepAt(batch, begun) };
  };

  const play = (batch: readonly T[], { step, number }: ReturnType<typeof begin>): Observable<WriteReceipt> => {
    const settle = record(batch, step.act);
    const receipt: WriteReceipt = { rows: batch.length };
    const commit = (result: 'written' | 'lost') => {
      log.written.push(batch);
      settle(result);
    };
    const fail = () => {
      settle('failed');
      return errorOf(step, name, number);
    };
    const act = (): Observable<WriteReceipt> => {
      switch (step.act) {
        case 'throw':
        case 'error':
          return throwError(fail);
        case 'reject':
          return from(Promise.reject(errorOf(step, name, number))).pipe(tap({ error: fail }));
        case 'hang':
          return NEVER;
        case 'receiptThenHang':
          return concat(of(receipt), NEVER);
        case 'commitThenFail':
          commit('lost');
          return throwError(fail);
        case 'poison':
          if (batch.some((item) => step.poison?.(item) ?? true)) return throwError(fail);
      }
      commit('written');
      if (step.act === 'emptyComplete') return EMPTY;
      return step.act === 'emitTwice' ? of({ rows: 0 }, receipt) : of(receipt);
    };
    const afterMs = step.afterMs ?? (step.act === 'slow' ? SLOW_MS : 0);
    const work = afterMs === 0 ? defer(act) : timer(afterMs, scheduler).pipe(switchMap(act));
    return work.pipe(finalize(() => settle('abandoned')));
  };

  const write = (batch: readonly T[]): Observable<WriteReceipt> => {
    const first = begin(batch);
    const { step, number } = first;
    if (step.act === 'throw' && !step.afterMs) {
      record(batch, step.act)('failed');
      throw errorOf(step, name, number);
    }
    let subscriptions = 0;
    return defer(() => {
      subscriptions += 1;
      // A second subscription is a call of its own.
      return play(batch, subscriptions === 1 ? first : begin(batch));
    });
  };
  return Object.assign(log, { name, write, ...(keyOf && { keyOf }) });
}

type Mutable<O> = { -readonly [K in keyof O]: O[K] };

function scriptOf<T>(
  script: SinkScript<T>,
  otherwise: SinkStep<T>,
): (batch: readonly T[], call: number) => SinkStep<T> {
  if (typeof script === 'function') return (batch, call) => stepOf(`the step of call ${call}`, script(batch, call));
  if (!Array.isArray(script)) throw new RangeError(`${OWNER}: script must be an array of steps or a function`);
  const steps = script.map((step, index) => stepOf<T>(`script[${index}]`, step));
  return (_, call) => steps[call - 1] ?? otherwise;
}

function stepOf<T>(option: string, given: SinkAct | SinkStep<T>): SinkStep<T> {
  if (typeof given === 'string') return { act: readArgument(OWNER, option, given, ACT) };
  readOptions(`${OWNER}: ${option}`, given, STEP);
  return given;
}

const CODES: Partial<Record<SinkAct, string>> = { poison: '22P02', commitThenFail: 'ECONNRESET' };

function errorOf<T>(step: SinkStep<T>, name: string, call: number): unknown {
  if ('error' in step) return step.error;
  const error = new Error(`${name} fails call ${call} on request (${step.act})`);
  const code = step.code ?? CODES[step.act];
  return code === undefined ? error : Object.assign(error, { code });
}
