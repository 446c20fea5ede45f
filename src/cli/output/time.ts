/** In the local zone, to the second, as restic shows it: `2026-03-01 12:34:56`. */
export function localTime(ms: number): string {
  const date = new Date(ms)
  const two = (value: number) => value.toString().padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
