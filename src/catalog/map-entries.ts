/** Without a prototype: a service may be called `constructor`. */
export function mapEntries<T, U>(
  entries: Readonly<Record<string, T>>,
  map: (value: T, name: string) => U,
): Readonly<Record<string, U>> {
  return Object.assign(
    Object.create(null) as Record<string, U>,
    Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, map(value, name)])),
  )
}
