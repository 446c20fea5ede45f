/** Uniform in [0, 1). */
export type Random = () => number

/**
 * A reproducible sequence: sfc32 by Chris Doty-Humphrey (PractRand), its state filled from the seed by splitmix32. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  const fill = splitmix32(seed)
  let [a, b, c, counter] = [fill(), fill(), fill(), 1]
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let round = 0; round < 12; round++) next()
  return next
}

function splitmix32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}
