import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { everything, HOUSE } from './house.js';
import { ROOT } from './repository.js';
import { membersOf } from './rules/membership.js';
import { pageOf, readDocblock, readMeaning } from './rules/pages.js';

describe.each(HOUSE)('the pages of $docs', (rule) => {
  it.each([...membersOf(rule, everything)])('say what the docblock says: %s', async (name, path) => {
    const page = `${rule.docs}/${name}.md`;
    await expect(pageOf(name, path, everything, everything.get(page))).toMatchFileSnapshot(join(ROOT, page));
  });
});

describe('a generated page', () => {
  const source = [
    "import type { Shared } from './shared.js';",
    'export interface SkipConfig extends Omit<Shared, "hidden"> {',
    '  /** How many items. Integer of at least 1, default 2. */',
    '  readonly count?: number;',
    '  /** The key, `a | b`. */',
    "  readonly by: 'a' | 'b';",
    '}',
    '/**',
    ' * Skips items.',
    ' *',
    ' * ```text',
    ' * --a--b--|',
    ' * ```',
    ' *',
    ' * **Emits when**: an item',
    ' * comes | goes.',
    ' * **Backpressure**: passes.',
    ' * **Completes when**: its source does.',
    ' * **Errors when**: its source does.',
    ' * **On unsubscribe**: nothing.',
    ' *',
    ' * **Delivery**: as it comes.',
    ' *',
    ' * **Gotchas**:',
    ' * - none',
    ' *',
    ' * @example',
    ' * ```ts',
    " * import { skip } from 'sluice';",
    ' * ```',
    ' */',
    'export function skip(config: SkipConfig): void {}',
  ].join('\n');
  const files = new Map([
    ['src/skip.ts', source],
    [
      'src/shared.ts',
      'export interface Shared {\n  /** Not shown. */\n  readonly hidden: 1;\n  /** The name. Default `skip`. */\n  readonly name?: string;\n}',
    ],
  ]);

  it('has what a reader compares in one table, then options, of other files too, and the rest', () => {
    expect(pageOf('skip', 'src/skip.ts', files, '# old\n\n## Notes\n\nBy hand.\n')).toBe(
      [
        '# skip',
        '<!-- Generated from src/skip.ts by `npm run docs`. Change the docblock there; only the notes at the end are written here. -->',
        'Skips items.',
        '| | |\n|---|---|\n| **Emits when** | An item comes \\| goes. |\n| **Backpressure** | Passes. |\n| **Completes when** | Its source does. |\n| **Errors when** | Its source does. |',
        '## Marble\n\n```text\n--a--b--|\n```',
        '## Signature\n\n```text\nskip(config: SkipConfig): void\n```',
        [
          '## Options\n',
          '| Option | Type | Default | Meaning |\n|---|---|---|---|',
          '| `count` | `number` | 2 | How many items. Integer of at least 1. |',
          "| `by` | `'a' \\| 'b'` | required | The key, `a \\| b`. |",
          '| `name` | `string` | `skip` | The name. |',
        ].join('\n'),
        '## On unsubscribe\n\nNothing.',
        '## Delivery\n\nAs it comes.',
        '## Gotchas\n\n- none',
        "## Example\n\n```ts\nimport { skip } from 'sluice';\n```",
        '## Notes\n\nBy hand.\n',
      ].join('\n\n'),
    );
  });

  it.each([
    ['Integer of at least 1, default 10,000.', 'Integer of at least 1.', '10,000'],
    ['Above 0, at most 1; default 0.8.', 'Above 0, at most 1.', '0.8'],
    ['How many. Default 1. More.', 'How many. More.', '1'],
    [
      'How long. Default: a batch waits until it is full. It goes on.',
      'How long. It goes on.',
      'a batch waits until it is full',
    ],
    ['No word of it.', 'No word of it.', ''],
    [
      'From 0; default 0.5, or half of it where that is 0.5 or less.',
      'From 0.',
      '0.5, or half of it where that is 0.5 or less',
    ],
  ])('takes the default out of %s', (docblock, meaning, byDefault) => {
    expect(readMeaning(docblock)).toEqual({ meaning, byDefault });
  });

  it('keeps what stands between the drawing and the first lead-in', () => {
    const { details, summary } = readDocblock('Does.\n\n```text\n-|\n```\n\nMore of it.\n\n**Emits when**: asked.\n');
    expect([summary, details]).toEqual(['Does.', 'More of it.']);
  });
});
