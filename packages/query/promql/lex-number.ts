/* The grammar, including what it lets through for the number parser to refuse, is that of Prometheus' lexer. */
import { characterAt, isAlphaNumeric, type Lexer } from './scan.ts';

const DECIMAL = '0123456789';
const HEXADECIMAL = '0123456789abcdefABCDEF';

function is(lexer: Lexer, valid: string): boolean {
  return lexer.pos < lexer.text.length && valid.includes(lexer.text[lexer.pos]);
}

function accept(lexer: Lexer, valid: string): boolean {
  if (!is(lexer, valid)) return false;
  lexer.pos++;
  return true;
}

function acceptRun(lexer: Lexer, valid: string): void {
  while (is(lexer, valid)) lexer.pos++;
}

function atEnd(lexer: Lexer): boolean {
  return lexer.pos >= lexer.text.length;
}

/** Moves past a number literal; false where what follows is none, with the position where that became clear. */
export function scanNumber(lexer: Lexer): boolean {
  const first = lexer.pos;
  let digits = DECIMAL;
  if (accept(lexer, '0') && accept(lexer, 'xX')) {
    accept(lexer, '_');
    digits = HEXADECIMAL;
  }
  accept(lexer, '.');
  accept(lexer, digits);
  let dot = false;
  let exponent = false;
  while (is(lexer, `${digits}._eE`)) {
    if ((dot && accept(lexer, '.')) || (exponent && accept(lexer, 'eE'))) return false;
    if (accept(lexer, '.')) {
      dot = true;
      if (accept(lexer, '_.') || digits === HEXADECIMAL) return false;
    } else if (accept(lexer, 'eE')) {
      exponent = true;
      accept(lexer, '+-');
      if (accept(lexer, '._eE') || atEnd(lexer)) return false;
    } else if (accept(lexer, '_')) {
      if (accept(lexer, '._eE') || atEnd(lexer)) return false;
    } else acceptRun(lexer, digits);
  }
  return lexer.pos !== first && !isAlphaNumeric(lexer.text[lexer.pos] ?? '');
}

/** Goes on after the digits scanNumber took, over units and further numbers; false where they are no duration. */
export function acceptRemainingDuration(lexer: Lexer): boolean {
  if (!accept(lexer, 'smhdwy')) return false;
  accept(lexer, 's');
  while (accept(lexer, DECIMAL)) {
    acceptRun(lexer, DECIMAL);
    if (!accept(lexer, 'smhdw')) return false;
    accept(lexer, 's');
  }
  const next = characterAt(lexer.text, lexer.pos);
  if (!isAlphaNumeric(next)) return true;
  lexer.pos += next.length;
  return false;
}
