/** What an operator or a source of your own is written with: the gate, the context, the queue, and the account. */

export type { Account } from './account.js';
export { contextOf, type FlowContext } from './context.js';
export { BufferOverflowError, isBufferOverflowError } from './errors.js';
export type { Feed, FeedAccount, FeedObserver, FeedState } from './feed.js';
export { type CancelWait, Gate, type GateState, type GateView } from './gate.js';
export { GatedQueue, type GatedQueueConfig, type Level } from './gatedQueue.js';
export { type GatedSourceConfig, gatedSource, type Outlet } from './gatedSource.js';
export { type Monitor, PipelineMonitor, type PipelineMonitorConfig } from './monitor.js';
export {
  type Handlers,
  type InnerHandlers,
  type Operation,
  type OperationInfo,
  operate,
  subscribeInner,
} from './operate.js';
export { operateQueued, type QueuedHandlers, type QueuedOperation } from './operateQueued.js';
export type { RoutedState, RouteSwitch, Routing, RoutingAccount, RoutingObserver } from './routing.js';
export type {
  FailedWrite,
  Fate,
  SettledWrite,
  Stage,
  StageAccount,
  StageInfo,
  StageObserver,
  StageRole,
  WatchedBreaker,
} from './stage.js';
export type { Unit } from './unit.js';
export { withContext } from './withContext.js';
