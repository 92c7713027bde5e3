import { Command } from 'commander';
import { PROVIDERS } from '../../providers/registry.js';
import type { SettingDescription } from '../../settings/describeSettings.js';
import type { Settings } from '../../settings/loadSettings.js';
import type { CommandContext } from '../commandContext.js';
import { Table } from '../table.js';

/** `sluice config`: shows the effective settings and where each came from. */
export function configCommand(context: CommandContext): Command {
  return new Command('config')
    .summary('show the effective settings and where each came from')
    .description(
      'Shows the effective value of every setting, and of every variable that a provider is configured by, and where it came from. Secrets ' +
        'are not shown.',
    )
    .option('--json', 'print one JSON document, as described in docs/cli.md')
    .action(async ({ json }: { readonly json?: true }) => {
      const settings = context.settings();
      const { describeSettings } = await import('../../settings/describeSettings.js');
      const described = describeSettings(settings);
      const variables = providerVariables(context);
      await context.print(json ? document(settings, described, variables) : page(settings, described, variables));
    });
}

/** A variable of a provider, as it is shown. */
interface ShownVariable {
  readonly provider: string;
  readonly variable: string;
  /** `***` for a key that is set. */
  readonly value: string | undefined;
  readonly origin: 'default' | 'environment' | 'dotenv';
  /** The name under which it is set. */
  readonly setAs: string | undefined;
  readonly isRequired: boolean;
  readonly meaning: string;
}

function providerVariables(context: CommandContext): readonly ShownVariable[] {
  return PROVIDERS.flatMap(({ name: provider, variables }) => {
    const values = context.variables(variables);
    const origins = context.originsOf(variables);
    return variables.map(({ name: variable, meaning, isRequired, isSecret }): ShownVariable => {
      const { origin = 'default', setAs } = origins[variable] ?? {};
      const text = values[variable];
      const value = text !== undefined && isSecret ? '***' : text;
      return { provider, variable, value, origin, setAs, isRequired, meaning };
    });
  });
}

function document(
  { dotenvFile }: Settings,
  settings: readonly SettingDescription[],
  variables: readonly ShownVariable[],
): string {
  // Every row has every key.
  const rows = settings.map((row) => ({ ...row, value: row.value ?? null, unit: row.unit ?? null }));
  const providers = variables.map((row) => ({ ...row, value: row.value ?? null, setAs: row.setAs ?? null }));
  return JSON.stringify({ dotenvFile: dotenvFile ?? null, settings: rows, providers }, undefined, 2);
}

function page(
  settings: Settings,
  described: readonly SettingDescription[],
  variables: readonly ShownVariable[],
): string {
  const rows = described.map(({ variable, value, unit, origin }) => [
    variable,
    value === undefined ? '(none)' : unit === undefined ? String(value) : `${value} ${unit}`,
    `${origin === 'dotenv' ? settings.dotenvFile : origin}${variable === FLUSH && settings.coordinator.eager ? UNUSED : ''}`,
  ]);
  const ofProviders = variables.map(({ variable, value = '(none)', origin, setAs = variable }) => [
    variable,
    value,
    `${origin === 'dotenv' ? settings.dotenvFile : origin}${setAs === variable ? '' : ` (as ${setAs})`}`,
  ]);
  return new Table(['VARIABLE', 'VALUE', 'FROM']).lines([...rows, ...ofProviders]);
}

const FLUSH = 'MDS_COORDINATOR_FLUSH_INTERVAL';
const UNUSED = ' (unused: batches are eager)';
