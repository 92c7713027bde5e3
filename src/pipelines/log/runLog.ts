import type { PipelineMonitor } from '../../flow/monitor.js';
import type { LettersOf, Stage, StageObserver, WatchedBreaker } from '../../flow/stage.js';
import type { RunObserver } from '../../operators/running/runObserver.js';
import { count } from '../../primitives/count.js';
import { oneLine } from '../../primitives/oneLine.js';
import { redactData, redactText } from '../../primitives/redact.js';
import { sentenceOf } from '../failureText.js';
import { ClosedGates } from './closedGates.js';
import { LineLimiter } from './lineLimiter.js';

/** A logger that receives the lines of a run; those of pino have these methods. */
export interface RunLogger {
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

export type RunLogLevel = 'info' | 'warn' | 'error';

/** The time of a log. */
export interface LogClock {
  /** Milliseconds since any moment. */
  now(): number;
  /** Calls `work` again and again; the function that is returned ends it. */
  every(ms: number, work: () => void): () => void;
}

/** A gate that has been closed for so long, while nothing moved, is worth a line. */
const CLOSED_GATE_MS = 30_000;

/** How often gates and dead letters are looked at. */
const LOOK_MS = 1_000;

/** A line is cut off here, and an item that it shows here. */
const MAX_LINE = 1_200;
const MAX_ITEM = 160;

const STATES: Readonly<Record<string, string>> = {
  open: 'is open: writes wait until the sink takes one again',
  halfOpen: 'is half-open: it lets one write through to see whether the sink takes it',
  closed: 'is closed: the sink takes writes again',
  forcedOpen: 'is held open by the program: writes wait',
  disabled: 'is disabled by the program: writes are not held back',
};

/** What a queue of dead letters says of itself, where it says anything. */
interface Holding {
  readonly letters: number;
  readonly items: number;
  readonly error: unknown;
}

/**
 * Says what must not stay unnoticed while a pipeline runs: see `log` of `run()`. It hears it as an observer of the run, and calls
 * `write` with a line at a time.
 */
export function runLog(write: (level: RunLogLevel, line: string) => void, clock: LogClock): RunObserver {
  const say = (level: RunLogLevel, line: string) => {
    const text = oneLine(redactText(line));
    try {
      write(level, text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text);
    } catch {
      // There is nowhere left to say it.
    }
  };
  const limiter = new LineLimiter(clock.now, (_, line) => say('warn', line));
  const gates = new ClosedGates(CLOSED_GATE_MS);
  const breakers = new Map<WatchedBreaker, () => void>();
  const letters = new Map<LettersOf, boolean>();
  let monitor: PipelineMonitor | undefined;
  let stopLooking: () => void = () => {};

  const watch = (name: string, breaker: WatchedBreaker) => {
    // Workers share theirs.
    if (breakers.has(breaker)) return;
    let former = breaker.state;
    const stop = breaker.onChange((state) => {
      if (state === former) return;
      former = state;
      // An outage of hours has a probe a minute at most.
      limiter.tell(`breaker ${name} ${state}`, () => `${name}: the circuit breaker ${STATES[state] ?? `is ${state}`}`);
    });
    breakers.set(breaker, stop);
  };

  /** A queue on disk waits without limit for a disk that is full, and its writer with it. */
  const lookAtLetters = () => {
    for (const [queue, wasHolding] of letters) {
      const holding = holdingOf(queue);
      if (holding && !wasHolding) {
        const waiting = `${count(holding.items)} ${holding.items === 1 ? 'item waits' : 'items wait'}`;
        say(
          'error',
          `the dead letters wait for their disk, ${waiting}, and nothing is lost: ${sentenceOf(holding.error)}`,
        );
      } else if (!holding && wasHolding) {
        say('info', 'the dead letters are on the disk again: the pipeline goes on');
      }
      letters.set(queue, holding !== undefined);
    }
  };

  const look = () => {
    limiter.check();
    lookAtLetters();
    // The workers of a coordinator have one name.
    const stuck = new Map(gates.look(monitor?.stages ?? [], clock.now()).map((stage) => [stage.name, stage]));
    for (const stage of stuck.values()) limiter.tell(`gate ${stage.name}`, () => closedText(stage));
  };

  const stages: StageObserver = {
    guarded: ({ name }, breaker) => watch(name, breaker),
    writeFailed({ name }, { type, class: failureClass, error, attempt, retryInMs }) {
      limiter.tell(`write ${name} ${type}`, () => {
        const which = attempt === undefined ? '' : `, attempt ${count(attempt)}`;
        const next = retryInMs === undefined ? '' : `; next try in ${secondsOf(retryInMs)}`;
        return `${name}: a write failed (${type}, ${failureClass}${which}): ${sentenceOf(error)}${next}`;
      });
    },
    retrying(stage, delayMs, error, failures) {
      // Those of writers are said with the failure.
      if (stage.role === 'writer' || error === undefined) return;
      limiter.tell(`retry ${stage.name}`, () => {
        const which = failures === undefined ? '' : ` ${count(failures)} in a row`;
        return `${stage.name}: the source failed${which}: ${sentenceOf(error)}; subscribing again in ${secondsOf(delayMs)}`;
      });
    },
    diverting({ name }, { items, reason, error }, to) {
      if (!letters.has(to)) letters.set(to, false);
      limiter.tell(`diverted ${name} ${reason}`, () => {
        const why = error === undefined ? '' : `: ${sentenceOf(error)}`;
        const many = items.length === 1 ? 'an item goes' : `${count(items.length)} items go`;
        return `${name}: ${many} to the dead letters (${reason})${why}; ${items.length === 1 ? 'it' : 'the first'} is ${itemText(items[0])}`;
      });
    },
    refused({ name }, reason, sentence) {
      limiter.tell(
        `refused ${name} ${reason}`,
        () => `${name}: ${reason === 'badRow' ? 'bad row' : reason}: ${sentence}`,
      );
    },
    feedChanged({ id, state, lastError }, from) {
      if (state === 'connecting' || (state === 'live' && from === 'connecting')) return;
      const why = state === 'live' || lastError === undefined ? '' : `: ${sentenceOf(lastError)}`;
      limiter.tell(`feed ${id} ${state}`, () => `${id} is ${state}${why}`);
    },
    feedNoticed({ id }, notice) {
      limiter.tell(`notice ${id} ${notice}`, () => `${id} says: ${sentenceOf(notice)}`);
    },
    routeSwitched({ id }, { from, to, reason, error }) {
      const why = error === undefined ? '' : `: ${sentenceOf(error)}`;
      limiter.tell(`switch ${id} ${to}`, () => `${id}: ${to} delivers in place of ${from} (${reason})${why}`);
    },
    routeEnded({ id }, provider, error) {
      say('error', `${id}: ${provider} has ended for good: ${sentenceOf(error)}`);
    },
  };

  return {
    attach(attached) {
      monitor = attached;
      stopLooking = clock.every(LOOK_MS, look);
      return stages;
    },
    finished() {
      stopLooking();
      lookAtLetters();
      limiter.end();
      for (const stop of breakers.values()) stop();
      breakers.clear();
      letters.clear();
    },
  };
}

function closedText(stage: Stage): string {
  const held = stage.held > 0 ? `, with ${count(stage.held)} items held` : '';
  return `${stage.name}: its gate has been closed for ${CLOSED_GATE_MS / 1_000} s and nothing has moved${held}: upstream is paused`;
}

function holdingOf(queue: LettersOf): Holding | undefined {
  try {
    return (queue as { readonly holding?: Holding | undefined }).holding;
  } catch {
    return undefined;
  }
}

/** `0.4 s`, `12 s`. */
function secondsOf(ms: number): string {
  const seconds = ms / 1_000;
  return `${seconds < 10 ? Math.ceil(seconds * 10) / 10 : Math.ceil(seconds)} s`;
}

function itemText(item: unknown): string {
  let text: string;
  try {
    text =
      JSON.stringify(redactData(item), (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)) ??
      String(item);
  } catch {
    text = 'an item that cannot be shown';
  }
  return text.length > MAX_ITEM ? `${text.slice(0, MAX_ITEM)}…` : text;
}
