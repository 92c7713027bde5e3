import { from, Subscription } from 'rxjs';
import type { Outlet } from '../../flow/gatedSource.js';
import { messageOf } from '../../primitives/messageOf.js';
import { Unreadable } from '../session.js';
import type { StreamSettings } from '../streamConfig.js';

/** How many letters may be under way: beyond it, elements that cannot be read are only counted. */
export const MAX_LETTERS = 1_024;

/** What becomes of elements that cannot be read. */
export class Rejections {
  readonly #settings: StreamSettings;
  readonly #outlet: Outlet<unknown>;
  readonly #onSettled: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #letters = new Subscription();
  /** Letters under way. */
  underWay = 0;
  #hasFailed = false;

  constructor(
    outlet: Outlet<unknown>,
    settings: StreamSettings,
    onSettled: () => void,
    onError: (error: unknown) => void,
  ) {
    this.#outlet = outlet;
    this.#settings = settings;
    this.#onSettled = onSettled;
    this.#onError = onError;
  }

  /** `verdict` is what `normalise` gave, or threw. */
  reject(element: unknown, verdict: unknown): void {
    const { deadLetters, onRejected } = this.#settings;
    const reason = verdict instanceof Unreadable ? verdict.reason : reasonOf(verdict);
    if (deadLetters && this.underWay < MAX_LETTERS) this.#write(element, reason, verdict);
    else this.#outlet.settle('dropped', element, 'unreadable');
    onRejected?.({ element, reason });
  }

  /** Whether no letter has to be waited for. One that cannot be written is held, and ends the stream. */
  get isSettled(): boolean {
    return this.underWay === 0 || this.#hasFailed;
  }

  cancel(): void {
    this.#letters.unsubscribe();
  }

  #write(element: unknown, reason: string, verdict: unknown): void {
    const error = verdict instanceof Error ? verdict : new Error(reason);
    const stage = this.#outlet.stage.name;
    this.underWay += 1;
    const settled = (as: 'dropped' | 'diverted', why: string) => {
      this.underWay -= 1;
      this.#outlet.settle(as, element, why);
      this.#onSettled();
    };
    const letter$ = from(
      this.#settings.deadLetters!.append({ items: [element], stage, reason: 'decode', error, attempts: 0 }),
    );
    const writing = letter$.subscribe({
      error: (error) => {
        if (isUnfit(error)) {
          settled('dropped', 'unreadable');
        } else {
          this.#hasFailed = true;
          this.#onError(error);
        }
      },
      complete: () => settled('diverted', 'decode'),
    });
    this.#letters.add(writing);
  }
}

/** Whether an element cannot be put into a letter, as opposed to a letter that cannot be kept. By code, which every copy of the package shares. */
function isUnfit(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return (
    code === 'SLUICE_DEAD_LETTERS_VALUE' || code === 'SLUICE_DEAD_LETTERS_TOO_LARGE' || error instanceof RangeError
  );
}

function reasonOf(verdict: unknown): string {
  if (verdict instanceof Error) return messageOf(verdict);
  const words = (verdict as { readonly reason?: unknown } | null | undefined)?.reason;
  return typeof words === 'string' ? words : 'the normaliser made no record of it';
}
