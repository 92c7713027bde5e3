import { EMPTY, type ObservableInput } from 'rxjs';
import type { DeadLetters, Diversion } from '../../src/contracts/diversion.js';

/** Dead letters in an array; `until` is what each letter waits for, and `count` how many items the letters hold. */
export function letterBox<T = number>(until: (diversion: Diversion<T>) => ObservableInput<unknown> = () => EMPTY) {
  const letters: Diversion<T>[] = [];
  const deadLetters: DeadLetters<T> = {
    append(diversion) {
      letters.push(diversion);
      return until(diversion);
    },
  };
  return { letters, deadLetters, count: () => letters.reduce((sum, { items }) => sum + items.length, 0) };
}
