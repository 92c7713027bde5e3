/**
 * Sluice: lossless backpressure and an account of every item, in plain RxJS chains.
 *
 * What most pipelines are written with is here: the operators, the sources that need no other package, `run`, and the
 * contracts. Everything else has a subpath: `sluice/flow` and `sluice/policies` for operators and sources of your own,
 * `sluice/market`, `sluice/postgres`, `sluice/files`, `sluice/sinks`, `sluice/sources`, `sluice/dead-letters`,
 * `sluice/pipelines`, `sluice/settings`, `sluice/telemetry` and `sluice/testing`. Importing the root loads none of the
 * packages that those need.
 */

export type { DeadLetters, Diversion, DivertReason } from './contracts/diversion.js';
export { isWriteOutcome, type Sink, type WriteOutcome, type WriteReceipt } from './contracts/sink.js';
export { isSinkError, SinkError } from './contracts/sinkError.js';
export { classifyFailure, type FailureClass } from './failures/classifyFailure.js';
export type { FlowContext } from './flow/context.js';
export { BufferOverflowError, isBufferOverflowError } from './flow/errors.js';
export { type GatedSourceConfig, gatedSource } from './flow/gatedSource.js';
export { PipelineMonitor } from './flow/monitor.js';
export { operate } from './flow/operate.js';
export type { Stage } from './flow/stage.js';
export { withContext } from './flow/withContext.js';
export type { Bar } from './market/bar.js';
export type { MarketEvent } from './market/recordKinds.js';
export { batch } from './operators/batch.js';
export { boundedBuffer, type Overflow } from './operators/boundedBuffer.js';
export { boundedMergeMap } from './operators/boundedMergeMap.js';
export { broadcast } from './operators/broadcast.js';
export { circuitBreaker } from './operators/circuitBreaker.js';
export { conflate } from './operators/conflate.js';
export { type Codec, decode, type Rejected } from './operators/decode.js';
export { dedupe } from './operators/dedupe.js';
export { type DivertVerdict, divert } from './operators/divert.js';
export { CircuitOpenError, isCircuitOpenError } from './operators/errors/circuitOpenError.js';
export { DecodeError, isDecodeError } from './operators/errors/decodeError.js';
export { isStaleStreamError, StaleStreamError } from './operators/errors/staleStreamError.js';
export { isUnroutedError, UnroutedError } from './operators/errors/unroutedError.js';
export { isWriteError, WriteError } from './operators/errors/writeError.js';
export { isWriteTimeoutError, WriteTimeoutError } from './operators/errors/writeTimeoutError.js';
export { lanes } from './operators/lanes.js';
export { pace } from './operators/pace.js';
export { retryWithJitter } from './operators/retryWithJitter.js';
export { route } from './operators/route.js';
export type { RunObserver } from './operators/running/runObserver.js';
export type { RunReport } from './operators/running/runReport.js';
export { untilStopped } from './operators/untilStopped.js';
export { watchdog } from './operators/watchdog.js';
export {
  type CoordinatorPolicies,
  type WriteCoordinatorConfig,
  writeCoordinator,
} from './operators/writeCoordinator.js';
export { writeTo } from './operators/writeTo.js';
export type { RetryPolicy, WritePolicies } from './operators/writing/writePolicies.js';
export { formatReport, isSettled } from './pipelines/formatReport.js';
export { type RunConfig, run } from './pipelines/run.js';
export { isRunError, RunError } from './pipelines/runError.js';
export { Backoff } from './policies/backoff.js';
export { CircuitBreaker, type CircuitBreakerConfig } from './policies/circuitBreaker.js';
export { type MemorySink, memorySink } from './sinks/memorySink.js';
export { type SinkSubscriber, type SinkSubscriberConfig, sinkSubscriber } from './sinks/sinkSubscriber.js';
export { fromAsyncIterable } from './sources/fromAsyncIterable.js';
export { fromIterable } from './sources/fromIterable.js';
export { fromReadable } from './sources/fromReadable.js';
export { synthetic } from './sources/synthetic.js';
