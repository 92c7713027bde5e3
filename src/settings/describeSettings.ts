import type { Settings } from './loadSettings.js';
import type { SettingOrigin } from './readVariables.js';
import { Secret, withoutPassword } from './secret.js';
import { VARIABLE_NAMES, VARIABLES, type Variable, type VariableName } from './variables.js';

/** The effective value of one variable. */
export interface SettingDescription {
  readonly variable: VariableName;
  /** In the unit of the variable; `undefined` if it has no value. A secret is redacted. */
  readonly value: string | number | boolean | undefined;
  readonly unit: string | undefined;
  readonly origin: SettingOrigin;
  readonly meaning: string;
}

/** The effective value of each variable, and where it came from. Contains no secrets. */
export function describeSettings(settings: Settings): readonly SettingDescription[] {
  return VARIABLE_NAMES.map((variable) => {
    const known: Variable = VARIABLES[variable];
    const origin = settings.origins[variable];
    return { variable, value: effectiveValue(known, settings), unit: known.unit, origin, meaning: known.meaning };
  });
}

function effectiveValue({ setting, unit }: Variable, settings: Settings): SettingDescription['value'] {
  const value = setting.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], settings);
  if (value instanceof Secret) return withoutPassword(value);
  if (setting === 'retry.jitter') return value !== 'none';
  return unit === 's' ? (value as number) / 1_000 : (value as string | number | boolean | undefined);
}
