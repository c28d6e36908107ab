/** Text that others wrote, made fit for a terminal. */

/** The text with what could move the cursor, reorder it or break the line written as an escape. */
export function printable(text: string): string {
  return text.replace(UNSAFE_ON_A_TERMINAL, escapeCharacter);
}

/** Control characters of any kind, and those that reorder text or break lines. */
const UNSAFE_ON_A_TERMINAL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
