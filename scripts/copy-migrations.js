// Copies the numbered SQL of the store beside the compiled program, which reads it there: tsc leaves it behind.
import { cpSync, rmSync } from 'node:fs';

const folder = 'postgres/migrate/migrations/';
const to = new URL(`../dist/${folder}`, import.meta.url);
rmSync(to, { recursive: true, force: true });
cpSync(new URL(`../src/${folder}`, import.meta.url), to, { recursive: true });
