/**
 * A command line with switches as Go's programs take them, and WAL-G's users write them: `--confirm=true` becomes `--confirm`, and
 * `--confirm=false` is left out.
 *
 * @param switches - the options without a value, `--confirm`, `-p`
 * @see Go's package strconv, ParseBool
 */
export function withoutSwitchValues(words: readonly string[], switches: ReadonlySet<string>): string[] {
  return words.flatMap((word) => {
    const [, name = '', value = ''] = /^(-[^=]*)=(.*)$/s.exec(word) ?? [];
    if (!switches.has(name)) return [word];
    if (/^(1|t|true)$/i.test(value)) return [name];
    return /^(0|f|false)$/i.test(value) ? [] : [word];
  });
}
