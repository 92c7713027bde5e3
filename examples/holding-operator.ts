/**
 * An operator of your own that can be full. `reorder` puts bars in order of time that come up to `depth` places late. It holds
 * that many, and keeps the backpressure promise: `operateQueued` does the queue, the gate, the drain and the end.
 *
 * Run it: npm run example -- holding-operator
 */
import { of } from 'rxjs';
import { operateQueued } from 'sluice/flow';

function reorder<T>({ depth, by }: { readonly depth: number; readonly by: (item: T) => number }) {
  return operateQueued<T, T>({ kind: 'reorder' }, ({ mayEmit, emit }) => {
    const sorted: T[] = [];
    let keep = depth;
    const release = () => {
      while (sorted.length > keep && mayEmit()) emit(sorted.shift()!);
    };
    return {
      offer(item) {
        release();
        if (sorted.length > keep) return false;
        const place = sorted.findIndex((other) => by(other) > by(item));
        sorted.splice(place < 0 ? sorted.length : place, 0, item);
        release();
        return true;
      },
      held: () => sorted.length,
      onOpen: release,
      onEnd() {
        keep = 0;
        release();
      },
    };
  });
}

of(1, 2, 4, 3, 6, 5, 7)
  .pipe(reorder({ depth: 2, by: (time) => time }))
  .subscribe((time) => console.log(time));
