import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Tests call `bin/seawall`, which runs `dist`: brings it up to date with `src`. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync('tsc', ['-p', 'tsconfig.json'], { cwd: root, stdio: 'inherit' });
}
