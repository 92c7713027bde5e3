import { type Observable, of, type Subscription } from 'rxjs';
import type { FlowContext } from './context.js';
import { type InnerHandlers, type Operation, type OperationInfo, operateCounted, subscribeInner } from './operate.js';
import type { ConnectionEnd, ConnectionHandlers, OnDemandHandlers } from './operateOnDemand.js';
import type { StageAccount } from './stage.js';
import type { UpstreamWatch } from './upstreamWatch.js';

/** What a stage that reads from several sources is given, once per subscription. */
export interface FanIn<T> extends Pick<Operation<T>, 'destination' | 'downstream' | 'stage' | 'emit' | 'settle'> {
  readonly account: StageAccount;
  /**
   * Subscribes a source, which is unsubscribed with the stage and finds the gate downstream. What it emits is counted as come in.
   * `given` is what it is told in place of what the context downstream says.
   */
  readonly connect: (
    source: Observable<T>,
    given: Partial<Pick<FlowContext, 'monitor'>>,
    handlers: ConnectionHandlers<T>,
  ) => Subscription;
}

/**
 * A stage that subscribes its sources itself: as many as it likes, when it likes. It has no gate: its sources find the one
 * downstream, and so must what it emits itself.
 */
export function fanIn<T>(info: OperationInfo, init: (fanIn: FanIn<T>) => OnDemandHandlers): Observable<T> {
  const initCounted = (operation: Operation<T>, account: StageAccount, watch: UpstreamWatch | undefined) => {
    const { destination, downstream, stage } = operation;
    const onBatches = () => {
      account.takeBatches();
      downstream.onBatches?.();
    };
    const connect: FanIn<T>['connect'] = (source, given, { next, over }) => {
      const context = { ...downstream, ...given, stage, onBatches, watch: watch ?? downstream.watch };
      let end = { kind: 'released' } as ConnectionEnd;
      const handlers: InnerHandlers<T> = {
        next,
        error(error) {
          end = { kind: 'failed', error };
        },
        complete() {
          end = { kind: 'completed' };
        },
      };
      const subscription = subscribeInner(source, { destination, downstream: context }, handlers, account);
      subscription.add(() => {
        try {
          over(end);
        } catch (error) {
          destination.error(error);
        }
      });
      return subscription;
    };
    const { start, finalize, held } = init({ ...operation, account, connect });
    return { next: start, complete() {}, ...(finalize && { finalize }), ...(held && { held }) };
  };
  return operateCounted<undefined, T>(info, initCounted, false)(of(undefined));
}
