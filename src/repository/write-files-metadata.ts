import type { NamedDatabase, NamedRelation } from '../postgres/relation-names.ts';
import type { FileMetadata } from './files-metadata.ts';

/** The relations of one database. */
export interface DatabaseRelations extends NamedDatabase {
  /** In the order of {@link readRelations}: those that inherit behind their root. */
  readonly relations: readonly NamedRelation[];
}

/** The content of a files_metadata.json as it is written, one entry after the other: a backup may have millions of files. */
export interface FilesMetadataSource {
  readonly files: () => Iterable<readonly [name: string, file: FileMetadata]>;
  readonly parts: () => Iterable<readonly [partFileName: string, names: Iterable<string>]>;
  readonly databases: () => Iterable<DatabaseRelations>;
}

const corruptBlocksLimit = 10;
const chunkLength = 256 * 1024;

/** The bytes of files_metadata.json, streamed. */
export async function* formatFilesMetadata(source: FilesMetadataSource): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for (const piece of formatPieces(source)) {
    text += piece;
    if (text.length < chunkLength) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(text);
}

function* formatPieces(source: FilesMetadataSource): Iterable<string> {
  yield '{"Files":{';
  let comma = '';
  for (const [name, file] of source.files()) {
    yield `${comma}${JSON.stringify(name)}:${JSON.stringify(formatFile(file))}`;
    comma = ',';
  }
  yield '},"TarFileSets":{';
  comma = '';
  for (const [partFileName, names] of source.parts()) {
    yield `${comma}${JSON.stringify(partFileName)}:[`;
    comma = '';
    for (const name of names) {
      yield comma + JSON.stringify(name);
      comma = ',';
    }
    yield ']';
    comma = ',';
  }
  yield '}';
  yield* formatDatabases(source.databases());
  yield '}';
}

/** WAL-G leaves the whole key out when there are none. */
function* formatDatabases(databases: Iterable<DatabaseRelations>): Iterable<string> {
  let before = ',"DatabasesByNames":{';
  for (const { name, oid, relations } of databases) {
    yield `${before}${JSON.stringify(name)}:{"oid":${oid},"tables_new":{`;
    yield* formatRelations(relations);
    yield '}}';
    before = ',';
  }
  if (before === ',') yield '}';
}

function* formatRelations(relations: Iterable<NamedRelation>): Iterable<string> {
  let end = '';
  let hasHeirs = false;
  for (const { name, oid, fileNode, inherits } of relations) {
    const text = `${JSON.stringify(name)}:{"oid":${oid},"relfilenode":${fileNode}`;
    if (inherits) {
      yield `${hasHeirs ? ',' : ',"subtables":{'}${text}}`;
      hasHeirs = true;
    } else {
      if (hasHeirs) yield '}';
      yield end === '' ? text : `${end},${text}`;
      end = '}';
      hasHeirs = false;
    }
  }
  if (hasHeirs) yield '}';
  yield end;
}

function formatFile(file: FileMetadata): object {
  const { corruptBlocks } = file;
  return {
    IsIncremented: file.isIncremented,
    IsSkipped: file.isSkipped,
    MTime: file.modifiedTime,
    CorruptBlocks: corruptBlocks && {
      CorruptBlocksCount: corruptBlocks.count,
      SomeCorruptBlocks: corruptBlocks.blocks.slice(0, corruptBlocksLimit),
    },
    UpdatesCount: 0,
  };
}
