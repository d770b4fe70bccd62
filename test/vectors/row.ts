import { withClaims, type Claims, type VectorContext } from './forge.js';
import type { TokenVector, VectorQuestion } from './tokens.js';

type Expect = TokenVector['expect'];
type Extra = Partial<Pick<TokenVector, 'profile' | 'exactClock'>> & Partial<VectorQuestion>;

/** One vector; the question is the natural action in room `room1` where nothing else is said. */
export function row(
  expect: Expect,
  name: string,
  why: string,
  build: (context: VectorContext) => string,
  extra: Extra = {},
): TokenVector {
  const { action = 'any', room = 'room1', ...rest } = extra;
  return { name, why, expect, build, question: { action, room }, ...rest };
}

/** One vector of a well-made token with claims changed. */
export function claim(
  expect: Expect,
  name: string,
  why: string,
  changed: Claims | ((context: VectorContext) => Claims),
  extra: Extra = {},
): TokenVector {
  const build = (context: VectorContext): string =>
    withClaims(context, typeof changed === 'function' ? changed(context) : changed);
  return row(expect, name, why, build, extra);
}
