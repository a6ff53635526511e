import { describe } from 'vitest';
import { describeAborts } from './object-store/aborts.ts';
import { describeCreate } from './object-store/create.ts';
import { describeDelete } from './object-store/delete.ts';
import { describeErrors } from './object-store/errors.ts';
import { describeGet } from './object-store/get.ts';
import { describeKeys } from './object-store/keys.ts';
import { describeList } from './object-store/list.ts';
import { describePut } from './object-store/put.ts';
import { type StoreKind, testInSpace } from './object-store/store-space.ts';

/** The contract of `src/storage/object-store.ts`, sentence by sentence; every driver must pass it on the real service. */
export function describeObjectStore(kind: StoreKind): void {
  const it = testInSpace(kind);
  describe('keys', () => describeKeys(it, kind));
  describe('errors', () => describeErrors(it, kind));
  describe('put', () => describePut(it, kind));
  describe('put of what must be absent', () => describeCreate(it));
  describe('get and head', () => describeGet(it));
  describe('list', () => describeList(it, kind));
  describe('delete', () => describeDelete(it));
  describe('an abort', () => describeAborts(it));
}
