const unitBytes = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
} as const

/** A size written with its unit (`16MiB`, `1.5 GB`) in bytes; undefined when it is not one. */
export function tryParseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]i?B|B)$/.exec(text)
  if (!match) return undefined
  const unit = unitBytes[match[2] as keyof typeof unitBytes]
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
}

/** For people: `0 B`, `512 B`, `1.5 MiB`, `12 GiB`. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1
  return `${Number(value.toFixed(digits))} ${units[unit]}`
}
