import type { ParseOptions, SchemaOptions, YAMLError } from 'yaml';
import { ConfigError } from '../errors.ts';

/**
 * Parses a configuration file in YAML. It may hold secrets, and the library's messages quote the line that is wrong: only what is wrong,
 * and where, is told.
 *
 * @throws {@link ConfigError} when it is not YAML, or has a tag or an alias that means nothing
 */
export async function parseYaml(
  text: string,
  path: string,
  options: ParseOptions & SchemaOptions = {},
): Promise<unknown> {
  const { parseDocument, visit } = await import('yaml');
  const document = parseDocument(text, options);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw notYaml(path, wordsFor(problem));
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) === undefined) throw notYaml(path, 'an asterisk names what is not there');
    },
  });
  return document.toJS();
}

/** `MISSING_CHAR` in the first line becomes `missing char in line 1`. */
function wordsFor({ code, linePos }: YAMLError): string {
  const what = code.toLowerCase().replaceAll('_', ' ');
  return linePos === undefined ? what : `${what} in line ${linePos[0].line}`;
}

function notYaml(path: string, why: string): ConfigError {
  return new ConfigError(`cannot parse configuration file ${path}: it is not YAML, ${why}`, {
    hint: 'Write one setting per line, and values with other characters than letters and digits in quotes.',
  });
}
