import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** How many bytes this process holds in buffers and on the heap, without what only waits to be collected. */
export function liveMemoryBytes(): number {
  // The second one waits for the buffers that the first left to a thread in the background.
  collectGarbage();
  collectGarbage();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}
