import { enableCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';

// zlib, fs and DNS share libuv's threads; the pool takes its size when it is first used.
process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism() + 4);
enableCompileCache();
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
