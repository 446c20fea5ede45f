import { installDebian } from './debian.ts'
import { peers, type Peer, type PeerName } from './peers.ts'

/** Installs the peer programs that are missing, where it can (Debian, root); says which suites will not run where it cannot. */
export default function setup(): void {
  const missing = (Object.keys(peers) as PeerName[]).filter((name) => peers[name].find() === undefined)
  if (missing.length === 0) return
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
