/**
 * Something that has really bitten somebody who archived, backed up or restored PostgreSQL, with this tool or another. Each is
 * shown by tests, or has a reason why it is not, or both where the tests show only a part of it.
 */
export interface Fault {
  /** Its number, for good. */
  readonly line: number;
  readonly what: string;
  /** Names of tests by their file below `test/`. */
  readonly shownBy?: Readonly<Record<string, readonly string[]>>;
  /** Why it, or the rest of it, is not shown. */
  readonly because?: string;
}
