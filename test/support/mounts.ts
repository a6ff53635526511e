import { spawnSync } from 'node:child_process';

/** `nobody`, as whom the server runs where mounting is allowed at all. */
const serverUser = 65534;

/** Whether this user may mount file systems and make namespaces, as root outside of most containers. */
export const mayMount: boolean = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;

/** A file system of its own in memory, which belongs to the server's user, until it is disposed of. */
export function mountSmallFileSystem(path: string, sizeMib: number): Disposable {
  run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=0700,uid=${serverUser},gid=${serverUser}`, 'none', path]);
  return { [Symbol.dispose]: () => run('umount', ['--lazy', path]) };
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
}
