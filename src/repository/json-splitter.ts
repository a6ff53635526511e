import { describeError, IntegrityError } from '../errors.ts';
import { createValueEnd, isJsonSpace } from './json-value-end.ts';

/**
 * What becomes of a member of the outermost object: its value is taken as one text; it is an object (or null) whose members are taken
 * one by one; or it is passed over, however large.
 */
export type MemberUse = 'whole' | 'by member' | 'not at all';

export interface SplitterOptions {
  /** The object's key or URL, for messages. */
  readonly name: string;
  /** Asked for each member of the outermost object. */
  readonly useOf: (key: string) => MemberUse;
  /** Takes a member's value as the text of its JSON. `inner` is the inner member's name where the members are taken one by one. */
  readonly onMember: (key: string, text: string, inner: string | undefined) => void;
  /** No text that is taken may be longer. */
  readonly textLimitBytes: number;
}

/** Takes a JSON object chunk by chunk. Both calls throw an {@link IntegrityError} when it is not JSON, as far as it is taken. */
export interface JsonSplitter {
  /** The chunk must not change afterwards. */
  write(chunk: Uint8Array): void;
  end(): void;
}

type Awaited = 'an object' | 'a name' | 'a name or the end' | 'a colon' | 'a value' | 'a comma or the end' | 'nothing';

/**
 * Cuts a JSON object into its members while it arrives, so that memory holds one member at a time: a list of a million files is an
 * object of two hundred megabytes, and many times as much when it is parsed as a whole. Only where members begin and end is looked at
 * here; the texts are for a JSON parser.
 */
export function createJsonSplitter({ name, useOf, onMember, textLimitBytes }: SplitterOptions): JsonSplitter {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let awaited: Awaited = 'an object';
  let key = '';
  let use: MemberUse = 'whole';
  /** Name of the member that is being taken member by member. */
  let opened: string | undefined;
  const findEnd = createValueEnd();
  /** Whether a text is being taken: the name of a member, or a value. */
  let inText = false;
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;

  const damaged = (what: string, cause?: unknown) => new IntegrityError(`${name} is not JSON: ${what}`, { cause });

  const isOpening = (byte: number | undefined) =>
    awaited === 'a value' && use === 'by member' && opened === undefined && byte === 0x7b;

  const isTextAhead = (byte: number | undefined) =>
    (awaited === 'a value' && !isOpening(byte)) || (byte === 0x22 && awaited.startsWith('a name'));

  const passStructure = (character: string) => {
    if (awaited === 'an object' && character === '{') awaited = 'a name or the end';
    else if (awaited === 'a colon' && character === ':') awaited = 'a value';
    else if (awaited === 'a comma or the end' && character === ',') awaited = 'a name';
    else if (awaited.endsWith('the end') && character === '}') {
      awaited = opened === undefined ? 'nothing' : 'a comma or the end';
      opened = undefined;
    } else if (awaited === 'a value' && character === '{') {
      opened = key;
      awaited = 'a name or the end';
    } else throw damaged(`${JSON.stringify(character)} where ${awaited} should be`);
  };

  const keep = (piece: Uint8Array) => {
    sizeBytes += piece.length;
    if (awaited === 'a value' && use === 'not at all') return;
    if (sizeBytes > textLimitBytes) throw damaged(`${key} has more than ${textLimitBytes} bytes`);
    pieces.push(piece);
  };

  const passText = () => {
    if (sizeBytes === 0) throw damaged(`${key} has no value`);
    const text = takeText();
    pieces.length = 0;
    sizeBytes = 0;
    inText = false;
    if (awaited !== 'a value') {
      key = parseName(text);
      if (opened === undefined) use = useOf(key);
      awaited = 'a colon';
      return;
    }
    awaited = 'a comma or the end';
    if (opened !== undefined) onMember(opened, text, key);
    else if (use === 'whole') onMember(key, text, undefined);
    else if (use === 'by member' && text !== 'null') throw damaged(`${key} is not an object`);
  };

  const parseName = (text: string): string => {
    try {
      return JSON.parse(text) as string;
    } catch (error) {
      throw damaged(describeError(error), error);
    }
  };

  const takeText = (): string => {
    try {
      return decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    } catch (error) {
      throw damaged('it is not UTF-8', error);
    }
  };

  return {
    write(chunk) {
      for (let index = 0; index < chunk.length; ) {
        const byte = chunk[index];
        if (inText) {
          const end = findEnd(chunk, index);
          keep(chunk.subarray(index, end));
          if (end === undefined) return;
          index = end;
          passText();
        } else if (isTextAhead(byte) && !isJsonSpace(byte)) {
          inText = true;
        } else {
          if (!isJsonSpace(byte)) passStructure(String.fromCharCode(byte ?? 0));
          index += 1;
        }
      }
    },
    end() {
      if (awaited !== 'nothing') throw damaged('it is cut off');
    },
  };
}
