const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** White space of JSON. @see RFC 8259, 2 */
export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/**
 * Looks for the end of a JSON value that arrives in chunks, and then of the next one. It counts brackets and knows strings;
 * whether it is JSON in between is not looked at.
 *
 * @returns a function that takes the rest of a chunk, from an index on, and gives the index behind the value; undefined when the
 *   value goes on in the next chunk
 */
export function createValueEnd(): (chunk: Uint8Array, from: number) => number | undefined {
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  return (chunk, from) => {
    for (let index = from; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) {
          inString = false;
          if (depth === 0) return index + 1;
        }
      } else if (byte === quote) inString = true;
      else if (byte === openBrace || byte === openBracket) depth += 1;
      else if (byte === closeBrace || byte === closeBracket) {
        // What closes around a number or a word is not part of it.
        if (depth === 0) return index;
        depth -= 1;
        if (depth === 0) return index + 1;
      } else if (depth === 0 && (byte === comma || isJsonSpace(byte))) return index;
    }
    return undefined;
  };
}
