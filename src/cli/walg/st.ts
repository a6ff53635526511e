import { NotFoundError, UsageError } from '../../errors.ts';
import { checkReading, checkWriting } from '../../objects/check-access.ts';
import { findByPath, findMatching, keyOfPath, listFolder, listingOf } from '../../objects/find-objects.ts';
import { getObject } from '../../objects/get-object.ts';
import { putObject } from '../../objects/put-object.ts';
import { readObject } from '../../objects/read-object.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ObjectInfo } from '../../storage/object-store.ts';
import type { CommandCall, CommandDefinition } from '../command.ts';
import { switchOption, textOption } from '../option-values.ts';
import { storageName } from './backup-details.ts';
import { padColumns } from './print-lines.ts';

type Tool = (repository: Repository, words: readonly string[], call: CommandCall) => Promise<void>;

/** Single objects of the repository's store. */
export const stCommand: CommandDefinition = {
  name: 'st',
  arguments: [
    { notation: '<tool>', description: 'ls, get, cat, put, rm, check' },
    { notation: '[words...]', description: 'what the tool works on' },
  ],
  summary: "look at single objects of the repository's store, bring them in and out, remove them",
  description: [
    'ls [folder]             what lies in a folder',
    'get <object> <file>     into a new file, decrypted and decompressed',
    'cat <object>            to stdout, as it is stored unless told',
    'put <file> <object>     compressed and encrypted, with a suffix for that',
    'rm <object or folder>   at once and for good',
    'check read [object...]  whether the store can be listed and holds these',
    'check write             whether objects can be stored and deleted',
  ].join('\n'),
  settings: [],
  options: [
    { flags: '-r, --recursive', description: 'ls: with everything below' },
    { flags: '-g, --glob', description: 'ls, rm: the path is a pattern (*, ?, [abc], **)' },
    { flags: '-f, --force', description: 'put: replace an object that is there already' },
    { flags: '--no-compress', description: 'put: as it is, without a suffix' },
    { flags: '--no-encrypt', description: 'put: not encrypted' },
    // Before their opposites, so that each of them is on only when it is given.
    { flags: '--decrypt', description: 'cat: decrypt' },
    { flags: '--decompress', description: 'cat: decompress' },
    { flags: '--no-decrypt', description: 'get: do not decrypt' },
    { flags: '--no-decompress', description: 'get: do not decompress' },
    { flags: '-t, --target <storage>', description: 'the storage: default, there is no other' },
  ],
  examples: ['wal-g st ls wal_005', 'wal-g st get wal_005/000000010000000000000002.lz4 /tmp/segment'],
  async run(call) {
    requireDefaultStorage(call);
    const [name = '', ...words] = call.args;
    const tool = tools[name];
    if (tool === undefined) {
      throw new UsageError(`st has no ${JSON.stringify(name)}`, {
        hint: `Say one of ${Object.keys(tools).join(', ')}.`,
      });
    }
    await using repository = await call.openRepository();
    await tool(repository, words, call);
  },
};

const tools: Readonly<Record<string, Tool>> = {
  async ls({ store }, words, call) {
    const [path = ''] = wordsOf('ls [folder]', words, 0, 1);
    const { signal } = call.context;
    const isRecursive = switchOption(call, 'recursive');
    const isGlob = switchOption(call, 'glob');
    const found = isGlob ? await findMatching(store, path, { signal }) : await listFolder(store, path, { signal });
    // Names are told from the folder on; a pattern has none.
    const folder = isGlob ? '' : keyOfPath(path);
    const { folders, objects } = isRecursive || isGlob ? { folders: [], objects: found } : listingOf(folder, found);
    call.print(
      padColumns([
        ['type', 'size', 'last modified', 'name'],
        ...folders.map((name) => ['dir', '0', '0001-01-01 00:00:00 +0000 UTC', name]),
        ...objects.map((object) => objectRow(object, folder)),
      ]),
    );
  },
  async get(repository, words, call) {
    const [path = '', destination = ''] = wordsOf('get <object> <file>', words, 2, 2);
    const decoding = { decrypt: call.options['decrypt'] !== false, decompress: call.options['decompress'] !== false };
    await getObject(repository, keyOfPath(path), destination, decoding, call.context);
  },
  async cat(repository, words, call) {
    const [path = ''] = wordsOf('cat <object>', words, 1, 1);
    const decoding = { decrypt: switchOption(call, 'decrypt'), decompress: switchOption(call, 'decompress') };
    await call.printBytes(await readObject(repository, keyOfPath(path), decoding, call.context));
  },
  async put(repository, words, call) {
    const [path = '', destination = ''] = wordsOf('put <file> <object>', words, 2, 2);
    const options = {
      compress: call.options['compress'] !== false,
      encrypt: call.options['encrypt'] !== false,
      overwrite: switchOption(call, 'force'),
    };
    await putObject(repository, path, destination, options, call.context);
  },
  async rm({ store }, words, call) {
    const [path = ''] = wordsOf('rm <object or folder>', words, 1, 1);
    const { signal } = call.context;
    const found = switchOption(call, 'glob')
      ? await findMatching(store, path, { signal })
      : await findByPath(store, path, { signal });
    if (found.length === 0) throw new NotFoundError(`object or folder ${JSON.stringify(path)} does not exist`);
    await store.delete(
      found.map(({ key }) => key),
      { signal },
    );
  },
  async check({ store }, words, call) {
    const [what = '', ...paths] = words;
    const { signal, log } = call.context;
    if (what === 'read') {
      await checkReading(store, paths, { signal });
      log.info({}, 'Read check OK');
    } else if (what === 'write') {
      wordsOf('check write', paths, 0, 0);
      await checkWriting(store, { signal });
      log.info({}, 'Write check OK');
    } else {
      throw new UsageError('st check needs read or write');
    }
  },
};

/** @throws {@link UsageError} */
function requireDefaultStorage(call: CommandCall): void {
  const storage = textOption(call, 'target') ?? storageName;
  if (storage === storageName) return;
  throw new UsageError(`there is no storage ${JSON.stringify(storage)}: failover storages are not supported`, {
    hint: `Leave --target out, or say ${storageName}.`,
  });
}

/** The words, if there are as many as there must be. @throws {@link UsageError} */
function wordsOf(usage: string, words: readonly string[], least: number, most: number): readonly string[] {
  if (words.length >= least && words.length <= most) return words;
  throw new UsageError(`st ${usage.split(' ')[0]} does not take ${words.length} arguments`, {
    hint: `Write: st ${usage}.`,
  });
}

/** @see Go's package time, Time.String */
function objectRow({ key, sizeBytes, modifiedAt }: ObjectInfo, folder: string): string[] {
  const [date = '', time = ''] = modifiedAt.toISOString().slice(0, -1).split('T');
  const name = folder === '' ? key : key.slice(folder.length + 1);
  return ['obj', String(sizeBytes), `${date} ${time.replace(/\.?0+$/, '')} +0000 UTC`, name];
}
