export {
  type ConformanceTest,
  OPERATOR_RULES,
  type OperatorRuleId,
  operatorConformance,
} from './conformance/operatorConformance.js';
export type { OperatorSubject, ThrowingCallback } from './conformance/operatorSubject.js';
export type { GatedMarbles, SubscriptionLogs } from './gatedMarbles.js';
export { type MarbleHelpers, marbles } from './marbles.js';
export { type GateLogged, type GateMarble, type GateProbe, probeGate } from './probeGate.js';
export { type SlowSink, type SlowSinkConfig, slowSink } from './slowSink.js';
export { withGate } from './withGate.js';
