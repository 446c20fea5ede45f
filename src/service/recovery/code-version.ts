import { readFileSync } from 'node:fs'

/** What runs are bound to: a run is resumed by the version that began it. */
export function codeVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}
