import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { acquireOwnerLock, type OwnerLock } from '../../src/journal/index.ts'
import { isHoldfastError } from '../../src/kernel/index.ts'
import { installDebian } from './debian.ts'
import { peers, type Peer, type PeerName } from './peers.ts'

/** Installs the peer programs that are missing, where it can (Debian, root); says which suites will not run where it cannot. */
export default async function setup(): Promise<void> {
  if (missingPeers().length === 0) return
  await using _alone = await setupLock()
  const missing = missingPeers()
  installDebian(
    missing.map((name) => peers[name].debianPackage),
    'the tests',
  )
  for (const name of missing) {
    const peer: Peer = peers[name]
    if (peer.find() === undefined) peer.install?.()
    if (peers[name].find() !== undefined) continue
    const text = `${name} is missing: ${peers[name].suites} cannot run (Debian package ${peers[name].debianPackage})`
    if (process.env.CI === 'true') throw new Error(text)
    console.warn(`SKIPPED: ${text}`)
  }
}

function missingPeers(): PeerName[] {
  return (Object.keys(peers) as PeerName[]).filter((name) => peers[name].find() === undefined)
}

/** Two checkouts that are tested at once would compile the same for minutes, each half as fast: the second waits, and finds it made. */
async function setupLock(): Promise<OwnerLock> {
  const directory = join(tmpdir(), `holdfast-test-setup-${process.getuid?.() ?? 0}`)
  for (let tries = 0; ; tries++) {
    try {
      return await acquireOwnerLock(directory, { purpose: 'setting the tests up' })
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'run-busy') throw error
      if (tries === 0) console.warn(`waiting for another test run to install what both need: ${error.message}`)
      await delay(1000)
    }
  }
}
