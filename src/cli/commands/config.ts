import { Command } from 'commander';
import { describeSettings, type SettingDescription } from '../../settings/describeSettings.js';
import type { Settings } from '../../settings/loadSettings.js';
import type { Invocation } from '../invocation.js';
import { Table } from '../table.js';

/** `sluice config`: what is in effect, and where each value comes from. */
export function configCommand(invocation: Invocation): Command {
  return new Command('config')
    .summary('show the settings in effect and where each comes from')
    .description('Shows every setting in effect and where its value comes from. Secrets are not shown.')
    .option('--json', 'one JSON document: { dotenvFile, settings: [{ variable, value, unit, origin, meaning }] }')
    .action(async ({ json }: { readonly json?: true }) => {
      const settings = invocation.settings();
      const described = describeSettings(settings);
      await invocation.print(json ? document(settings, described) : page(settings, described));
    });
}

function document({ dotenvFile }: Settings, settings: readonly SettingDescription[]): string {
  // A key that is sometimes missing is one that a reader forgets.
  const rows = settings.map((row) => ({ ...row, value: row.value ?? null, unit: row.unit ?? null }));
  return JSON.stringify({ dotenvFile: dotenvFile ?? null, settings: rows }, undefined, 2);
}

function page(settings: Settings, described: readonly SettingDescription[]): string {
  const rows = described.map(({ variable, value, unit, origin }) => [
    variable,
    value === undefined ? '(none)' : unit === undefined ? String(value) : `${value} ${unit}`,
    `${origin === 'dotenv' ? settings.dotenvFile : origin}${variable === FLUSH && settings.coordinator.eager ? UNUSED : ''}`,
  ]);
  return new Table([{ title: 'VARIABLE' }, { title: 'VALUE' }, { title: 'FROM' }]).lines(rows);
}

const FLUSH = 'MDS_COORDINATOR_FLUSH_INTERVAL';
const UNUSED = ' (unused: batches are eager)';
