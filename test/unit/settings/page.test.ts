import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROVIDERS } from '../../../src/providers/registry.js';
import { loadSettings } from '../../../src/settings/loadSettings.js';
import { VARIABLE_NAMES, VARIABLES } from '../../../src/settings/variables.js';

const page = readFileSync(new URL('../../../docs/settings.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `([A-Z_]+)` \|(.*)\|$/gm)].map(([, name = '', cells = '']) => ({
  name,
  cells: cells.split('|').map((cell) => cell.trim()),
}));

describe('the table of docs/settings.md', () => {
  it('has a row for each variable, in their order', () => {
    expect(rows.map(({ name }) => name)).toEqual(VARIABLE_NAMES);
  });

  it.each(rows.map(({ name, cells }) => [name, cells] as const))('says of %s what the schema does', (name, cells) => {
    const variable = VARIABLES[name as keyof typeof VARIABLES];
    const [byDefault, unit, allowed = '', meaning, setting] = cells;
    expect(byDefault).toBe('byDefault' in variable ? `\`${variable.byDefault}\`` : 'none');
    expect(unit).toBe('unit' in variable ? variable.unit : '');
    if ('isSecret' in variable) expect(allowed).toContain(variable.allowed.split(',')[0]);
    else expect(allowed).toBe(variable.allowed);
    expect(meaning).toBe(variable.meaning);
    expect(setting).toBe(`\`${variable.setting}\``);
  });

  it('names places that settings have', () => {
    const settings: unknown = loadSettings({ env: { DATABASE_URL: 'postgres://h/d' }, dotenvFile: false });
    for (const { setting } of Object.values(VARIABLES)) {
      const value = setting.split('.').reduce((at, key) => (at as Record<string, unknown>)[key], settings);
      expect([setting, value]).toEqual([setting, expect.anything()]);
    }
  });
});

describe('the table of providers in docs/settings.md', () => {
  it('has a row for each variable of the registry, and says of it what the registry does', () => {
    const told = PROVIDERS.flatMap(({ name, variables }) =>
      variables.map(({ name: variable, alias, isRequired, meaning }) => {
        const or = alias === undefined ? '' : `\`${alias}\``;
        return `| ${name} | \`${variable}\` | ${or} | ${isRequired ? 'yes' : 'no'} | ${meaning} |`;
      }),
    );
    expect(page.split('\n').filter((line) => /^\| [a-z]+ \| `/.test(line))).toEqual(told);
  });
});
