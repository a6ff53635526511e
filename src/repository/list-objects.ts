import type { CallOptions, ObjectInfo } from '../storage/object-store.ts';
import { backupFolder, catchupFolder, walFolder } from './layout.ts';
import type { Repository } from './repository.ts';

/** Every object below the repository's folders, and nothing of what else may lie in the store. */
export async function listObjects({ store }: Repository, options: CallOptions = {}): Promise<ObjectInfo[]> {
  const objects: ObjectInfo[] = [];
  for (const folder of [backupFolder, walFolder, catchupFolder]) {
    for await (const object of store.list(folder, options)) objects.push(object);
  }
  return objects;
}
