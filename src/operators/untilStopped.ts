import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../flow/operate.js';

export function untilStopped<T>(): MonoTypeOperatorFunction<T> {
  return operate({ kind: 'untilStopped' }, ({ destination, downstream, stage, detach }) => {
    destination.add(
      downstream.stopping.subscribe(() => {
        detach();
        destination.complete();
      }),
    );
    return {
      next(item) {
        stage.in += 1;
        stage.out += 1;
        destination.next(item);
      },
    };
  });
}
