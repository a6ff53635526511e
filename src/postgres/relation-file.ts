/** The forks of a relation: its data, free space map, visibility map, and what an unlogged relation is reset to. */
export type RelationFork = 'main' | 'fsm' | 'vm' | 'init';

/** A file that holds pages of a relation. */
export interface RelationFile {
  /** The relation's file node number, `pg_class.relfilenode`. */
  readonly relationNumber: number;
  readonly fork: RelationFork;
  /** The file is this part of the fork, counted from 0. */
  readonly segment: number;
}

/** Blocks per file, 1 GiB; a server built with another size is not supported (`relseg_size` in pg_control). */
export const blocksPerRelationFile = 131_072;

const pattern = /^([1-9]\d{0,9})(?:_(fsm|vm|init))?(?:\.([1-9]\d{0,9}))?$/;

/**
 * Recognises the name of a permanent or unlogged relation's file, `<number>[_<fork>][.<segment>]`; undefined for any other file of
 * the directory. All these files consist of pages, with checksums when the cluster has them.
 *
 * @see postgres src/common/relpath.c, src/backend/storage/file/reinit.c (parse_filename_for_nontemp_relation)
 */
export function parseRelationFileName(fileName: string): RelationFile | undefined {
  const match = pattern.exec(fileName);
  if (match === null) return undefined;
  const [, relationNumber, fork = 'main', segment = 0] = match;
  return { relationNumber: Number(relationNumber), fork: fork as RelationFork, segment: Number(segment) };
}

/** Number, in the fork, of the first block of a relation's file. */
export function firstBlockOf(file: RelationFile): number {
  return file.segment * blocksPerRelationFile;
}
