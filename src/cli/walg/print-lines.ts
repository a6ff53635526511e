import Table from 'cli-table3';
import { stringify } from 'lossless-json';
import { type BackupLine, cellOf } from './backup-details.ts';

/** A column: the field, and its heading in a table with lines. */
export type Column = readonly [string, string];

/** JSON as WAL-G prints it: in one line, or indented by four. 64-bit numbers stay numbers. */
export function formatWalgJson(value: unknown, isPretty: boolean): string {
  return stringify(value, undefined, isPretty ? 4 : undefined) ?? '';
}

/** Columns that are parted by spaces, under the names of the fields. */
export function formatTabbed(columns: readonly Column[], lines: readonly BackupLine[]): string {
  return padColumns([
    columns.map(([field]) => (field === 'time' ? 'modified' : field)),
    ...lines.map((line) => columns.map(([field]) => cellOf(field, line[field], false))),
  ]);
}

/** Rows with their cells below each other, one space between the columns. @see Go's package text/tabwriter */
export function padColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_cell, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(' '),
    )
    .join('\n');
}

/** A numbered table with lines, as `--pretty` gives it. */
export function formatBoxed(columns: readonly Column[], lines: readonly BackupLine[]): string {
  return boxTable(
    [{ heading: '#', align: 'right' }, ...columns.map(([, heading]) => ({ heading }))],
    lines.map((line, index) => [String(index), ...columns.map(([field]) => cellOf(field, line[field], true))]),
  );
}

/** A column of a table with lines; to the left unless told. */
export interface BoxedColumn {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

/** A table with lines around it and below its head. */
export function boxTable(columns: readonly BoxedColumn[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(({ heading }) => heading.toUpperCase()),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: {
      ...{ top: '-', 'top-mid': '+', 'top-left': '+', 'top-right': '+' },
      ...{ bottom: '-', 'bottom-mid': '+', 'bottom-left': '+', 'bottom-right': '+' },
      ...{ left: '|', mid: '', 'left-mid': '', 'mid-mid': '', right: '|', 'right-mid': '', middle: '|' },
    },
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  const [top = '', head = '', ...rest] = table.toString().split('\n');
  return [top, head, top, ...rest].join('\n');
}
