import { Command } from 'commander';
import { describeSettings, type SettingDescription } from '../../settings/describeSettings.js';
import type { Settings } from '../../settings/loadSettings.js';
import type { CommandContext } from '../commandContext.js';
import { Table } from '../table.js';

/** `sluice config`: shows the effective settings and where each came from. */
export function configCommand(context: CommandContext): Command {
  return new Command('config')
    .summary('show the effective settings and where each came from')
    .description('Shows the effective value of every setting and where it came from. Secrets are not shown.')
    .option('--json', 'print one JSON document: { dotenvFile, settings: [{ variable, value, unit, origin, meaning }] }')
    .action(async ({ json }: { readonly json?: true }) => {
      const settings = context.settings();
      const described = describeSettings(settings);
      await context.print(json ? document(settings, described) : page(settings, described));
    });
}

function document({ dotenvFile }: Settings, settings: readonly SettingDescription[]): string {
  // Every row has every key.
  const rows = settings.map((row) => ({ ...row, value: row.value ?? null, unit: row.unit ?? null }));
  return JSON.stringify({ dotenvFile: dotenvFile ?? null, settings: rows }, undefined, 2);
}

function page(settings: Settings, described: readonly SettingDescription[]): string {
  const rows = described.map(({ variable, value, unit, origin }) => [
    variable,
    value === undefined ? '(none)' : unit === undefined ? String(value) : `${value} ${unit}`,
    `${origin === 'dotenv' ? settings.dotenvFile : origin}${variable === FLUSH && settings.coordinator.eager ? UNUSED : ''}`,
  ]);
  return new Table(['VARIABLE', 'VALUE', 'FROM']).lines(rows);
}

const FLUSH = 'MDS_COORDINATOR_FLUSH_INTERVAL';
const UNUSED = ' (unused: batches are eager)';
