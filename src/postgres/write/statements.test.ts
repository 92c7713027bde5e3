import { describe, expect, it } from 'vitest';
import { quoteIdentifier } from '../identifiers.js';
import type { Table } from '../table.js';
import { statementsFor } from './statements.js';

const table: Table<unknown> = {
  name: 'My "table"',
  columns: [
    { name: 'id', type: 'text', of: () => '' },
    { name: 'note', type: 'float8', nullable: true, of: () => null },
    { name: 'seq', type: 'int8', of: (_item, seq) => seq },
  ],
  key: ['id'],
  keyOf: () => '',
  version: 'seq',
  versionOf: () => undefined,
  numbered: (item) => item,
};

describe('statementsFor', () => {
  it('quotes a name whatever is in it', () => {
    expect(quoteIdentifier('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
  });

  it('makes the upsert from the description', () => {
    expect(statementsFor(table, 'S').upsertArrays).toBe(
      'INSERT INTO "S"."My ""table""" AS stored ("id", "note", "seq") SELECT "id", "note", "seq" ' +
        'FROM unnest($1::text[], $2::float8[], $3::int8[]) AS incoming ("id", "note", "seq") ' +
        'ON CONFLICT ("id") DO UPDATE SET "note" = excluded."note", "seq" = excluded."seq" ' +
        'WHERE stored."seq" < excluded."seq"',
    );
  });

  it('lets arrays come as the texts of their literals, and takes them from the staging table as they are', () => {
    const tagged: Table<unknown> = {
      ...table,
      name: 't',
      columns: [
        ...table.columns,
        { name: 'my "tags"', type: 'text[]', of: () => [] },
        { name: 'day', type: 'date', of: () => '' },
      ],
    };
    const { upsertArrays, copyUpsert, createStage } = statementsFor(tagged, undefined);
    expect(upsertArrays).toContain(
      'SELECT "id", "note", "seq", "my ""tags"""::text[], "day" ' +
        'FROM unnest($1::text[], $2::float8[], $3::int8[], $4::text[], $5::date[]) AS incoming',
    );
    expect(copyUpsert).toContain('SELECT "id", "note", "seq", "my ""tags""", "day" FROM pg_temp');
    expect(createStage).toContain('"my ""tags""" text[], "day" date');
  });

  it('makes the table from the description', () => {
    expect(statementsFor(table, undefined).create).toContain(
      'CREATE TABLE IF NOT EXISTS "My ""table""" ("id" text NOT NULL, "note" float8, "seq" int8 NOT NULL, PRIMARY KEY ("id"))',
    );
  });

  it('gives each table a staging table and a prepared statement of its own', () => {
    const all = [
      statementsFor(table, undefined),
      statementsFor(table, 'S'),
      statementsFor({ ...table, name: 'b' }, 'S'),
    ];
    expect(new Set(all.map(({ createStage }) => createStage)).size).toBe(3);
    expect(new Set(all.map(({ upsertName }) => upsertName)).size).toBe(3);
    for (const { createStage, copyUpsert } of all) {
      const stage = /"(sluice_stage_\w+)"/.exec(createStage)?.[1];
      expect(copyUpsert).toContain(`pg_temp."${stage}"`);
    }
    for (const { upsertName } of all) expect(upsertName.length).toBeLessThan(64);
  });
});
