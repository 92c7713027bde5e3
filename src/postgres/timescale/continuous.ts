import { qualify } from '../identifiers.js';
import { durationText, type FeatureStep, interval, type Planning, policyOf, regclass, stepOf } from './featureStep.js';
import { retentionOf } from './hypertables.js';
import { continuousStatement, type Rollup } from './rollups.js';

/** A rollup as a continuous aggregate, and how it is kept up to date. */
export function continuousSteps(rollup: Rollup, planning: Planning): FeatureStep[] {
  const { name, widthMs, everyMs } = rollup;
  const { catalogue, settings, schema, extension } = planning;
  const qualified = qualify(name, schema);
  const steps: FeatureStep[] = [];
  const kind = catalogue.rollups.get(name);
  if (kind !== 'continuous') {
    steps.push(
      stepOf(
        `${name} aggregate`,
        `make ${name} a continuous aggregate of ${rollup.from}${kind === 'view' ? ' in place of the view' : ''}`,
        kind === 'view' && `DROP VIEW ${qualified}`,
        continuousStatement(rollup, planning),
      ),
    );
  }
  const policy = policyOf(planning, 'policy_refresh_continuous_aggregate', name);
  // To refresh what has been dropped would empty the aggregate too. Without retention all that changed is refreshed.
  const retained = retentionOf(planning, 'bars');
  const tooFar = retained !== undefined && (policy?.startOffsetMs ?? Number.POSITIVE_INFINITY) > retained;
  const tooNear = settings.retainMs.bars === false && policy?.startOffsetMs !== undefined;
  const isWidened = typeof settings.retainMs.bars === 'number' && policy?.startOffsetMs !== retained;
  if (!policy || tooFar || tooNear || isWidened) {
    const relation = regclass(qualified);
    const reach = retained === undefined ? 'wherever bars have changed' : `as far back as ${durationText(retained)}`;
    steps.push(
      stepOf(
        `${name} refresh`,
        `refresh ${name} every ${durationText(everyMs)}, ${reach}`,
        policy && `SELECT ${extension}.remove_continuous_aggregate_policy(${relation})`,
        `SELECT ${extension}.add_continuous_aggregate_policy(${relation}, ` +
          `start_offset => ${retained === undefined ? 'NULL' : interval(retained)}, ` +
          `end_offset => ${interval(widthMs)}, schedule_interval => ${interval(everyMs)})`,
      ),
    );
  }
  return steps;
}
