import { inspect } from 'node:util';
import { expect } from 'vitest';
import { ConfigError, NotFoundError, PermissionError, type SeawallError } from '../../../src/errors.ts';
import type { ObjectStore } from '../../../src/storage/object-store.ts';
import { listKeys, type SpaceTest, type StoreKind } from './store-space.ts';

const memberCalls: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  put: (store) => store.put('folder/key', Buffer.from('x')),
  'put ifAbsent': (store) => store.put('folder/key', Buffer.from('x'), { ifAbsent: true }),
  get: (store) => store.get('folder/key'),
  head: (store) => store.head('folder/key'),
  list: (store) => listKeys(store, 'folder/'),
  delete: (store) => store.delete(['folder/key']),
};

async function failureOf(call: Promise<unknown>): Promise<SeawallError> {
  return await call.then(
    () => expect.fail('the call should have failed'),
    (error: SeawallError) => error,
  );
}

export function describeErrors(it: SpaceTest, kind: StoreKind): void {
  it('says NotFoundError for a key that does not exist, whatever lies near it', async ({ space: { store } }) => {
    await store.put('a/b', Buffer.from('x'));
    for (const key of ['a', 'a/b/c', 'a/bc', 'a/B', 'b', 'a/b.tmp']) {
      expect(await failureOf(store.head(key)), key).toBeInstanceOf(NotFoundError);
      expect(await failureOf(store.get(key)), key).toBeInstanceOf(NotFoundError);
    }
  });

  it('names the object in the message', async ({ space: { store } }) => {
    expect((await failureOf(store.get('wal_005/0001'))).message).toContain('wal_005/0001');
    expect((await failureOf(store.head('wal_005/0001'))).message).toContain('wal_005/0001');
  });

  if (kind.hasMissingPlaces) {
    it.for(Object.entries(memberCalls))(
      'says ConfigError to %s for a place that does not exist',
      async ([, call], { space }) => {
        const error = await failureOf(call(space.missing ?? space.store));
        expect(error, inspect(error)).toBeInstanceOf(ConfigError);
        expect(error.hint, 'it says what to do').toMatch(/^[A-Z].*\.$/);
      },
    );
  }

  if (kind.refusesStrangers) {
    it.for(Object.entries(memberCalls))(
      'says PermissionError to %s when it is not let in',
      async ([, call], { space }) => {
        const error = await failureOf(call(space.denied ?? space.store));
        expect(error, inspect(error)).toBeInstanceOf(PermissionError);
        expect(error.hint, 'it says what to do').toMatch(/^[A-Z].*\.$/);
      },
    );
  }

  it('keeps secrets out of the errors', async ({ space }) => {
    const stores = [space.store, space.missing, space.denied].filter((store) => store !== undefined);
    for (const store of stores) {
      const error = await failureOf(store.get('no/such/key'));
      for (const secret of space.secrets) expect(inspect(error, { depth: 8 })).not.toContain(secret);
    }
  });
}
