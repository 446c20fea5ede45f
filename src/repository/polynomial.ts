import { randomBytes } from 'node:crypto'

/** Of the polynomials that restic draws for its chunker. */
export const polynomialDegree = 53

/** A random irreducible polynomial over GF(2) of degree 53, its lowest bit set; bit i is the coefficient of xⁱ. */
export function randomPolynomial(): bigint {
  const top = 1n << BigInt(polynomialDegree)
  for (;;) {
    const candidate = (randomBytes(8).readBigUInt64LE() & (top - 1n)) | top | 1n
    if (isIrreducible(candidate)) return candidate
  }
}

/**
 * Ben-Or's test: f of degree n is irreducible iff gcd(f, x^(2^i) − x) = 1 for all i ≤ n/2.
 * (Lidl and Niederreiter, Finite Fields, ch. 3; Gao and Panario 1997.)
 */
export function isIrreducible(f: bigint): boolean {
  const n = degreeOf(f)
  if (n < 1) return false
  let power = 2n
  for (let i = 1; i <= n / 2; i++) {
    power = remainder(square(power), f)
    if (gcd(f, power ^ 2n) !== 1n) return false
  }
  return true
}

/** -1 of the polynomial 0. */
export function degreeOf(f: bigint): number {
  return f === 0n ? -1 : f.toString(2).length - 1
}

function remainder(f: bigint, by: bigint): bigint {
  const n = degreeOf(by)
  let rest = f
  for (let d = degreeOf(rest); d >= n; d = degreeOf(rest)) rest ^= by << BigInt(d - n)
  return rest
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, remainder(a, b))
}

/** Over GF(2), squaring spreads the coefficients: Σxⁱ → Σx²ⁱ. */
function square(f: bigint): bigint {
  return BigInt(`0b${f.toString(2).split('').join('0')}`)
}
