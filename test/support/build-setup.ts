import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests call `bin/seawall`, which runs `dist`: brings it up to date with `src`. Type errors are `npm run types`' matter. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  for (const [tool, ...args] of [
    ['tsc', '-p', 'tsconfig.json'],
    ['rolldown', '-c', '.rolldown.config.mjs'],
  ]) {
    const { error, signal } = spawnSync(`${root}node_modules/.bin/${tool}`, args, { cwd: root });
    if (error !== undefined || signal !== null) throw new Error('the build did not run', { cause: error ?? signal });
  }
}
