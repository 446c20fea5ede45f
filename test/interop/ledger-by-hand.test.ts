import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openLedger } from '../../src/ledger/index.ts'
import { backupBody } from '../support/evidence.ts'
import { describeWith } from '../support/peers.ts'
import { sharedRepository } from '../support/restic.ts'

const document = readFileSync(new URL('../../docs/formats/ledger.md', import.meta.url), 'utf8')

describeWith('restic', 'the ledger without Holdfast', (restic) => {
  test('the program in docs/formats/ledger.md verifies it with the key that restic prints, and fails for a record put elsewhere', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    const ledger = openLedger(repository.area('holdfast/ledger'))
    for (const snapshot of ['one', 'two', 'three']) await ledger.append('backup', backupBody(snapshot))
    const head = await ledger.head()

    const program = join(shared.folder, 'verify-ledger.mjs')
    writeFileSync(program, /```js\n(.*?)```/s.exec(document)?.[1] ?? '')
    const masterkey = join(shared.folder, 'masterkey.json')
    writeFileSync(masterkey, (await shared.restic(['cat', 'masterkey'])).stdout)
    const verify = () => execFileSync(process.execPath, [program, shared.path, masterkey], { encoding: 'utf8', stdio: 'pipe' })
    expect(verify()).toBe(`3 records, head ${head?.hash}\n`)

    const place = (name: string) => join(shared.path, 'holdfast', 'ledger', name)
    copyFileSync(place('0000000003'), place('0000000004'))
    expect(verify).toThrow(/was stored as holdfast\/ledger\/0000000003/)
  })

  test('restic finds no fault in a repository with a ledger', async () => {
    using shared = sharedRepository(restic)
    await using repository = await shared.create()
    await openLedger(repository.area('holdfast/ledger')).append('backup', backupBody('one'))
    expect((await shared.check()).stdout).toContain('no errors were found')
  })
})
