import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { peers, type Peer, type PeerName } from './peers.ts'

/** Installs the peer programs that are missing, where it can (Debian, root); says which suites will not run where it cannot. */
export default function setup(): void {
  const missing = (Object.keys(peers) as PeerName[]).filter((name) => peers[name].find() === undefined)
  if (missing.length === 0) return
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) {
    const packages = missing.map((name) => peers[name].debianPackage)
    console.log(`installing ${packages.join(', ')} for the tests`)
    const apt = (...args: string[]) =>
      spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      })
    apt('update')
    withoutServices(() => apt('install', '-y', '--no-install-recommends', ...packages))
  }
  for (const name of missing) {
    const peer: Peer = peers[name]
    if (peer.find() === undefined) peer.install?.()
    if (peers[name].find() !== undefined) continue
    const text = `${name} is missing: ${peers[name].suites} cannot run (Debian package ${peers[name].debianPackage})`
    if (process.env.CI === 'true') throw new Error(text)
    console.warn(`SKIPPED: ${text}`)
  }
}

/** The tests start what they need, on ports of their own: no name server, SSH server or database of the machine shall come of this. */
function withoutServices(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d'
  const isOurs = !existsSync(policy)
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    install()
  } finally {
    if (isOurs) rmSync(policy)
  }
}
