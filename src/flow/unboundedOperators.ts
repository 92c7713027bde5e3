import type { Frame } from './callStack.js';

/** An operator of RxJS that holds items without a bound. */
export interface UnboundedOperator {
  readonly name: string;
  /** Whether it holds items whatever it is given; others pass them straight on where what they are given works at once. */
  readonly always: boolean;
  readonly remedy: string;
  /** Whether it makes one array of many items, or is there to be followed by what does. */
  readonly makesArrays: boolean;
}

const MERGE_MAP = 'use boundedMergeMap(project, { concurrency }) in its place';
const BUFFER = 'use batch({ size, lingerMs }) in its place';

/** By their module in RxJS: `concatMap`, `mergeAll`, `concatAll`, `delay` and `delayWhen` are made of `mergeMap`. */
const OPERATORS: Readonly<Record<string, Pick<UnboundedOperator, 'always' | 'remedy'>>> = {
  mergeMap: { always: false, remedy: MERGE_MAP },
  mergeScan: { always: false, remedy: `${MERGE_MAP}, and scan() behind it` },
  expand: { always: false, remedy: MERGE_MAP },
  observeOn: { always: true, remedy: 'leave it out, and give the source the scheduler' },
  // What scheduled() is made of: it subscribes its source too late for the rest to be seen.
  subscribeOn: { always: false, remedy: 'leave scheduled() out, and give the source the scheduler' },
  buffer: { always: true, remedy: BUFFER },
  bufferTime: { always: true, remedy: BUFFER },
  bufferWhen: { always: true, remedy: BUFFER },
  bufferToggle: { always: true, remedy: BUFFER },
  window: { always: false, remedy: BUFFER },
  windowTime: { always: false, remedy: BUFFER },
  windowWhen: { always: false, remedy: BUFFER },
  windowToggle: { always: false, remedy: BUFFER },
  groupBy: { always: false, remedy: 'use lanes({ count, by }) in its place' },
};

/** They say more than the `mergeMap` that usually follows them. */
const WITH_INNERS = /^(window|groupBy)/;

const MAKES_ARRAYS = /^(buffer|window|groupBy)/;

const MODULE = /[/\\]operators[/\\](\w+)\.[cm]?[jt]s$/;

const moduleOf = (frame: Frame) => MODULE.exec(frame.getFileName() ?? '')?.[1];

/**
 * The operator that holds items without a bound between the subscription under way and the stage below it, which called
 * `boundary`; `undefined` where there is none, or the stack does not say. `frames` is the call stack, the innermost first.
 *
 * An inner observable does not go through the operator that subscribes it: what lies between `doInnerSub` and the
 * `mergeInternals` around it is not its way down.
 */
export function unboundedOperatorIn(frames: readonly Frame[], boundary: string): UnboundedOperator | undefined {
  const found: string[] = [];
  let inners = 0;
  let isOfInner = false;
  for (const frame of frames) {
    const caller = frame.getFunctionName();
    if (caller === boundary) break;
    const module = moduleOf(frame);
    if (module === undefined) continue;
    if (module === 'mergeInternals') {
      if (caller === 'doInnerSub') inners += 1;
      else if (caller === module && inners > 0) {
        inners -= 1;
        isOfInner = true;
      }
    } else if (isOfInner) {
      isOfInner = false;
    } else if (inners === 0 && Object.hasOwn(OPERATORS, module)) {
      found.push(module);
    }
  }
  const name = found.find((module) => WITH_INNERS.test(module)) ?? found[0];
  return name === undefined ? undefined : { name, ...OPERATORS[name]!, makesArrays: MAKES_ARRAYS.test(name) };
}

/** A stage or source of Sluice that is emitting. */
const EMITTING = /[/\\](gatedSource|operation|operateSubscriber|branch)\.[jt]s$/;

/**
 * Whether the item on its way comes out of an operator of RxJS that has held it, `operator` where it is the only one: it goes
 * through one, and neither an inner observable that is just being subscribed nor a stage above is emitting.
 */
export function wasHeld(operator: UnboundedOperator, frames: readonly Frame[]): boolean {
  const last = frames.findLastIndex((frame) => {
    const module = moduleOf(frame);
    return module === 'mergeInternals' || (module !== undefined && Object.hasOwn(OPERATORS, module));
  });
  if (last < 0 || frames.slice(last).some((frame) => EMITTING.test(frame.getFileName() ?? ''))) return false;
  // expand() emits what it subscribes next.
  return operator.name === 'expand' || !frames.some((frame) => frame.getFunctionName() === 'doInnerSub');
}
