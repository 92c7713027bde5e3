import { afterEach, beforeEach, expect, it } from 'vitest';
import { Folder } from '../../test/support/folder.js';
import { loadVariables } from './loadVariables.js';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const read = (env: Readonly<Record<string, string>>, dotenvFile?: string | false) => {
  const loaded = loadVariables([{ name: 'A_KEY', alias: 'OLD_KEY' }, { name: 'B_KEY' }], {
    env,
    cwd: folder.path('.'),
    ...(dotenvFile !== undefined && { dotenvFile }),
  });
  return [loaded.A_KEY?.reveal(), loaded.B_KEY?.reveal()];
};

it('takes variables from the environment, from .env, and by their other name', () => {
  folder.write('.env', '\uFEFFA_KEY=file\nB_KEY="b"\n');
  expect(read({})).toEqual(['file', 'b']);
  expect(read({ A_KEY: 'env', B_KEY: '' })).toEqual(['env', undefined]);
  expect(read({ OLD_KEY: 'old' }, false)).toEqual(['old', undefined]);
  expect(read({ OLD_KEY: 'old' }, 'none')).toEqual(['old', undefined]);
});

it('shows them to nobody', () => {
  const loaded = loadVariables([{ name: 'A_KEY' }], { env: { A_KEY: 's3cret' }, dotenvFile: false });
  expect(`${loaded.A_KEY} ${JSON.stringify(loaded)}`).not.toContain('s3cret');
});
