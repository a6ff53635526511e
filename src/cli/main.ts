import { availableParallelism } from 'node:os';

if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(`seawall: error: this is Node.js ${process.versions.node}, and Seawall needs 24 or newer\n`);
  process.exit(78);
}
// zlib, fs and DNS share libuv's threads; the pool takes its size when it is first used.
process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism() + 4);
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
