/**
 * The value that a configuration file gives a setting, or undefined when it does not set it. The last line counts; files that it
 * includes are not followed.
 *
 * @param text - of a postgresql.conf or postgresql.auto.conf
 * @see postgres src/backend/utils/misc/guc-file.l
 */
export function configuredValue(text: string, name: string): string | undefined {
  const pattern = new RegExp(
    `^[ \\t]*${name}(?:[ \\t]*=[ \\t]*|[ \\t]+)(?:'(?<quoted>(?:[^'\\\\\\n]|''|\\\\.)*)'|(?<plain>[^\\s'#=]+))`,
    'gim',
  );
  const groups = Array.from(text.matchAll(pattern)).at(-1)?.groups;
  return groups?.['plain'] ?? groups?.['quoted']?.replaceAll(/''|\\(.)/g, (pair, escaped) => escaped ?? pair[0]);
}
