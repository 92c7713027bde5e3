import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import type { Branch } from '../flow/branch.js';
import { FanOut } from '../flow/fanOut.js';
import { operate } from '../flow/operate.js';
import { hashKey } from '../policies/hashKey.js';
import { requireFunction, requireInteger, requireKnownOptions } from '../policies/validate.js';

export interface LanesConfig<T> {
  /** How many lanes. Integer of at least 1. */
  readonly count: number;
  /** The key of an item: one key is always in one lane, so its order holds. Without it, the next free lane. */
  readonly by?: (item: T) => string | number;
  /** The name in topology, metrics and errors. Default `lanes`. */
  readonly name?: string;
}

export function lanes<T, R>(
  config: LanesConfig<T>,
  project: (lane$: Observable<T>, index: number) => ObservableInput<R>,
): OperatorFunction<T, R> {
  const owner = 'lanes';
  requireKnownOptions(owner, config, ['count', 'by', 'name']);
  const count = requireInteger(owner, 'count', config.count);
  const by = config.by && requireFunction(owner, 'by', config.by);
  requireFunction(owner, 'project', project);

  return operate({ kind: owner, name: config.name }, (operation) => {
    let turn = -1;

    const byKey = (item: T): Branch<T> | undefined => fan.branches[hashKey(by!(item)) % count];

    const nextFree = (): Branch<T> | undefined => {
      for (let tried = 0; tried < count; tried++) {
        turn = (turn + 1) % count;
        const branch = fan.branches[turn];
        if (branch?.isOpen) return branch;
      }
      return undefined;
    };

    const fan = new FanOut<T, R>(operation, by ? byKey : nextFree);
    for (let index = 0; index < count; index++) {
      fan.add('lane', `${operation.stage.name}[${index}]`, (lane$) => project(lane$, index));
    }
    return fan.handlers;
  });
}
