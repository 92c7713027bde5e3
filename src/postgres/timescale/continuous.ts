import { quoteIdentifier, quoteLiteral } from '../identifiers.js';
import type { StoreCatalogue } from './catalogue.js';
import { type FeatureStep, interval, said } from './featureStep.js';
import { policyOf, retentionOf } from './hypertables.js';
import { continuousStatements, type Names, type Rollup } from './rollups.js';
import type { TimescaleSettings } from './settings.js';

/** A rollup as a continuous aggregate, and how it is kept up to date. */
export function continuousSteps(
  rollup: Rollup,
  catalogue: StoreCatalogue,
  settings: TimescaleSettings,
  names: Names,
): FeatureStep[] {
  const { name, widthMs, everyMs } = rollup;
  const { store, extension } = names;
  const steps: FeatureStep[] = [];
  const kind = catalogue.rollups.get(name);
  if (kind !== 'continuous') {
    steps.push({
      name: `${name} aggregate`,
      what: `make ${name} a continuous aggregate of ${rollup.from}${kind === 'view' ? ' in place of the view' : ''}`,
      statements: [
        ...(kind === 'view' ? [`DROP VIEW ${store}.${quoteIdentifier(name)}`] : []),
        ...continuousStatements(rollup, names),
      ],
    });
  }
  const relation = `${quoteLiteral(`${store}.${quoteIdentifier(name)}`)}::regclass`;
  const policy = policyOf(catalogue, 'policy_refresh_continuous_aggregate', name);
  // A refresh of what has been dropped would empty the aggregate too. Without retention all that changed is refreshed.
  const retained = retentionOf(catalogue, settings, 'bars');
  const tooFar = retained !== undefined && (policy?.startOffsetMs ?? Number.POSITIVE_INFINITY) > retained;
  const tooNear = settings.retainMs.bars === false && policy?.startOffsetMs !== undefined;
  const isWidened = typeof settings.retainMs.bars === 'number' && policy?.startOffsetMs !== retained;
  if (!policy || tooFar || tooNear || isWidened) {
    steps.push({
      name: `${name} refresh`,
      what: `refresh ${name} every ${said(everyMs)}, ${retained === undefined ? 'wherever bars have changed' : `as far back as ${said(retained)}`}`,
      statements: [
        ...(policy ? [`SELECT ${extension}.remove_continuous_aggregate_policy(${relation})`] : []),
        `SELECT ${extension}.add_continuous_aggregate_policy(${relation}, ` +
          `start_offset => ${retained === undefined ? 'NULL' : interval(retained)}, ` +
          `end_offset => ${interval(widthMs)}, schedule_interval => ${interval(everyMs)})`,
      ],
    });
  }
  return steps;
}
