import { isUtf8 } from 'node:buffer';

/**
 * Byte strings: names of files in whatever encoding, one character (U+0000 to U+00FF) per byte. Comparing, joining and cutting at
 * slashes work on them as on text.
 */

/** The byte string of a text's UTF-8 form. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The bytes, as the file system functions take them. */
export function bytesOf(byteString: string): Buffer {
  return Buffer.from(byteString, 'latin1');
}

/** Whether the bytes are UTF-8. */
export function isUtf8ByteString(byteString: string): boolean {
  return isUtf8(bytesOf(byteString));
}

/** For messages: the text; bytes that are not UTF-8 are shown as U+FFFD. */
export function byteStringAsText(byteString: string): string {
  return bytesOf(byteString).toString('utf8');
}
