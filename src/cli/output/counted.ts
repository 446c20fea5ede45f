/** `1 step`, `3 steps`, `2 weaknesses`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
