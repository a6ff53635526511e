import Table from 'cli-table3';

/** Rows under headings, two spaces between the columns, no lines: easy on the eye and on `awk`. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: [...headings],
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '  ',
    },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** One JSON document. Instants become UTC texts ending in Z; 64-bit numbers become texts, for most readers would round them. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2);
}

/** An instant for people, UTC to the second: `2026-01-02 03:04:05Z`. */
export function formatInstant(at: Date): string {
  return at
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
}
