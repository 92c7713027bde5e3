import { Observable } from 'rxjs';
import { type Frame, framesAbove } from './callStack.js';

/** Where RxJS is: the folder of its modules, and the one that calls the function given to `new Observable()`. */
interface Rxjs {
  readonly folder: string;
  readonly observable: string;
}

let rxjs: Rxjs | undefined;

/**
 * Whether RxJS is calling a function of the user's, other than one given to `new Observable()`, since `boundary` was called: the
 * factory of a `defer()`, the selector of a `catchError()`, an observer. What such a function subscribes by itself is a pipeline
 * of its own, while what a hand-made observable subscribes goes on to its subscriber. Nothing that RxJS hands out tells the two
 * apart, so this reads the call stack: at most once per subscription, and never for an item.
 *
 * False where the stack does not say, as in a bundle or outside of V8.
 */
export function isInsideCallback(boundary: string): boolean {
  const frames = framesAbove(isInsideCallback);
  rxjs ??= locateRxjs();
  if (!frames || !rxjs) return false;
  const { folder, observable } = rxjs;
  let isOurs = false;
  for (const frame of frames) {
    const file = frame.getFileName();
    // Native functions call on behalf of those above them.
    if (!file || file.startsWith('node:')) continue;
    const isRxjs = file.startsWith(folder);
    if (isOurs && isRxjs && file !== observable) return true;
    if (frame.getFunctionName() === boundary) return false;
    isOurs = !isRxjs;
  }
  return false;
}

/** Subscribes once to see who calls; `undefined` where RxJS and this file were made one. */
function locateRxjs(): Rxjs | undefined {
  let frames: readonly Frame[] | undefined;
  const probe = () => {
    frames = framesAbove(probe);
  };
  new Observable<never>(probe).subscribe();
  const observable = frames?.[0]?.getFileName();
  const name = observable && /[^/\\]+$/.exec(observable)?.[0];
  if (!observable || !name?.startsWith('Observable.')) return undefined;
  return { observable, folder: observable.slice(0, -name.length) };
}
