import { chown, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverAccount } from '../../src/postgres/index.ts'

/** A temporary folder that a server of ours can use, even when the tests run as root. */
export async function accountFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix))
  const account = await serverAccount()
  if (process.geteuid?.() === 0) await chown(folder, account.uid, account.gid)
  return folder
}
