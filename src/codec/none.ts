import type { Codec } from './codec.ts';

/** No compression. The bytes pass as they are, so damage shows only where the plain bytes are checked. */
export const noneCodec: Codec = {
  name: 'none',
  suffix: '',
  encode: (source) => source,
  decode: (source) => source,
};
