import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runProcess } from '../../kernel/index.ts'
import { serverAccount } from './account.ts'
import { reachableByAccount } from './reachable.ts'

const isRoot = process.geteuid?.() === 0

function programIn(mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-reachable-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  chmodSync(folder, 0o755)
  const inner = join(folder, 'inner')
  mkdirSync(inner, { mode })
  writeFileSync(join(inner, 'program'), '#!/bin/sh\necho reached\n', { mode: 0o755 })
  return join(inner, 'program')
}

test('what the account can reach is used as it is', async () => {
  const program = programIn(0o755)
  expect(await reachableByAccount(program, await serverAccount())).toBe(program)
})

describe.skipIf(!isRoot)(`as root${isRoot ? '' : ' (not run: this is not root, who alone copies)'}`, () => {
  test('what lies below a closed folder is copied once, to where the account can run it', async () => {
    const program = programIn(0o700)
    const account = await serverAccount()
    const copy = await reachableByAccount(program, account)
    onTestFinished(() => rmSync(copy))
    expect(copy).not.toBe(program)
    expect(await runProcess(copy, [], { uid: account.uid, gid: account.gid, cwd: '/' })).toMatchObject({ stdout: 'reached\n' })
    const { ino } = statSync(copy)
    expect(await reachableByAccount(program, account)).toBe(copy)
    expect(statSync(copy).ino).toBe(ino)
  })

  test('a changed program is copied anew', async () => {
    const program = programIn(0o700)
    const account = await serverAccount()
    const before = await reachableByAccount(program, account)
    onTestFinished(() => rmSync(before))
    writeFileSync(program, '#!/bin/sh\necho another program\n')
    const after = await reachableByAccount(program, account)
    onTestFinished(() => rmSync(after))
    expect(after).not.toBe(before)
  })
})
