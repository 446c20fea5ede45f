import { dirname, join } from 'node:path'
import type { PostgresInstallation } from '../installation.ts'
import type { ServerAccount } from './account.ts'
import { reachableByAccount } from './reachable.ts'

/** The folder of an installation's programs that the account can execute; see reachableByAccount. A copy has their libraries beside them (60 MB). */
export async function executablePrograms({ binDir, version }: PostgresInstallation, account: ServerAccount): Promise<string> {
  const witness = join(binDir, 'postgres')
  return join(await reachableByAccount(dirname(binDir), account, { name: `postgresql-${version}`, witness }), 'bin')
}
