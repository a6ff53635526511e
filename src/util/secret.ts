/** `inspect.custom` of node:util, which is slow to load. */
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

const shown = '[hidden]';

/**
 * A key, password or passphrase that shows itself only to whoever asks for it by `reveal()`. As text, in JSON, in logs and when
 * inspected it is `[hidden]`.
 */
export class Secret<T extends string | Uint8Array = string> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
    Object.defineProperty(this, inspectCustom, { value: () => shown });
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return shown;
  }

  toJSON(): string {
    return shown;
  }
}
