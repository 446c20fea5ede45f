import { readFileSync } from 'node:fs'

/** `holdfast 0.1.0`: what a record says of its writer. */
export function programName(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return `holdfast ${version}`
}
