import type { Random } from '../../kernel/index.ts'

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
