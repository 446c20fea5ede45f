import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faults } from '../src/faults/index.ts'

/** What has no undo that a crash could keep from happening, or whose kill has a test of its own: why. */
const others: Readonly<Record<string, string>> = {
  'process.kill': 'nothing is left of it to take back',
  'kubernetes.pod-kill': 'nothing is left of it to take back',
  'aws.rds-failover': 'nothing is left of it to take back',
  'holdfast.unavailable': 'test/chaos/aside.test.ts kills all of Holdfast while its command is away',
}

test('every fault is in a test that kills its experiment', () => {
  const tests = globSync(new URL('../test/chaos/*.test.ts', import.meta.url).pathname).map((file) => readFileSync(file, 'utf8'))
  const first = (argument: string) => new RegExp(String.raw`expectNothingLeft\(\s*${argument}\s*,`)
  // By its name, or as one of several that a test goes through.
  const killed = (kind: string) =>
    tests.some(
      (text) =>
        first(`'${kind.replace('.', String.raw`\.`)}'`).test(text) || (first('kind').test(text) && text.includes(`'${kind}'`)),
    )
  expect(faults.map(({ kind }) => kind).filter((kind) => !killed(kind) && others[kind] === undefined)).toEqual([])
})
