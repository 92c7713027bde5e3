/**
 * Sluice: lossless backpressure and an account of every item, in plain RxJS chains. This is the core that operators,
 * sources and sinks are written with; they are in `sluice/operators`, `sluice/sources`, `sluice/sinks`,
 * `sluice/pipelines` and `sluice/testing`.
 */
export { contextOf, type FlowContext, NO_CONTEXT } from './flow/context.js';
export { BufferOverflowError, isBufferOverflowError } from './flow/errors.js';
export { type CancelWait, Gate, type GateState } from './flow/gate.js';
export { type GatedSourceConfig, gatedSource, type Outlet } from './flow/gatedSource.js';
export {
  type Account,
  type Monitor,
  PipelineMonitor,
  type Stage,
  type StageInfo,
  type StageRole,
} from './flow/monitor.js';
export {
  type Handlers,
  type InnerHandlers,
  type Operation,
  type OperationInfo,
  operate,
  subscribeInner,
} from './flow/operate.js';
export { Ring } from './flow/ring.js';
export { admit, type Level, SLACK, WaitingLine, type WaitingLineConfig } from './flow/waitingLine.js';
export { withContext } from './flow/withContext.js';
export { type Bar, barKey } from './model/bar.js';
export { isWriteOutcome, type Sink, type WriteOutcome, type WriteReceipt } from './model/sink.js';
export { isWriteError, WriteError } from './model/writeError.js';
