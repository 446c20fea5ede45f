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

/** Standard normal, by Box and Muller (1958). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** How often something happens in a year that happens `rate` times a year on average: Knuth's method in steps that do not underflow. */
export function poisson(rate: number, random: Random): number {
  let count = 0
  for (let left = rate; left > 0; left -= 500) {
    const limit = Math.exp(-Math.min(left, 500))
    for (let product = random(); product > limit; product *= random()) count++
  }
  return count
}
