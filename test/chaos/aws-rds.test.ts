import { DescribeDBClustersCommand } from '@aws-sdk/client-rds'
import { beforeAll, expect, test } from 'vitest'
import { anyCredentials, leapingClock } from '../support/aws-actions.ts'
import { failsInstancesOver, proxyTo, queryError } from '../support/aws-proxy.ts'
import { addClusterOfRds, addInstanceOfRds, awsClients } from '../support/aws-world.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { describeWithMoto } from '../support/describe-with-moto.ts'

const region = 'us-west-2'

describeWithMoto('failovers of RDS, against moto', (moto) => {
  let aws: ReturnType<typeof awsClients>
  beforeAll(async () => {
    aws = awsClients(moto.url)
    await addInstanceOfRds(aws, 'orders', true)
    await addInstanceOfRds(aws, 'alone', false)
    await addClusterOfRds(aws, 'shop', ['shop-1', 'shop-2', 'shop-3'])
    await addClusterOfRds(aws, 'lonely', ['lonely-1'])
  })

  const failover = (what: object, endpoint = moto.url) =>
    bound('aws.rds-failover', { region, endpoint, credentials: anyCredentials, ...what })
  async function writer(cluster: string): Promise<string | undefined> {
    const { DBClusters = [] } = await aws.rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: cluster }))
    return DBClusters[0]?.DBClusterMembers?.find(({ IsClusterWriter }) => IsClusterWriter === true)?.DBInstanceIdentifier
  }

  test('another member of a cluster writes: one that RDS chooses, or the one that is named', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    expect(await writer('shop')).toBe('shop-1')
    const fault = await guard.inject(failover({ cluster: 'shop' }), 60_000, never)
    expect(fault.targets).toEqual([`cluster shop of RDS in ${region} (shop-1 has its writer)`])
    expect(await writer('shop')).toBe('shop-2')
    await fault.end()
    expect(await writer('shop')).toBe('shop-2')
    await guard.inject(failover({ cluster: 'shop', to: 'shop-3' }), 60_000, never)
    expect(await writer('shop')).toBe('shop-3')
  })

  test('an order without an answer is not given twice, and the real state tells', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    await using proxy = await proxyTo(moto.url)
    proxy.rules = { after: ({ name }, told) => (name === 'rds FailoverDBCluster' ? undefined : told) }
    const before = await writer('shop')
    await guard.inject(failover({ cluster: 'shop' }, proxy.url), 60_000, never)
    expect(await writer('shop')).not.toBe(before)
    expect(proxy.count('rds FailoverDBCluster')).toBe(1)
  })

  test('the primary of an instance is in another zone, once RDS says so', async () => {
    await using folder = await chaosFolder()
    await using proxy = await proxyTo(moto.url)
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    proxy.rules = failsInstancesOver('us-west-2b', 2)
    const fault = await guard.inject(failover({ instance: 'orders' }, proxy.url), 60_000, never)
    expect(fault.targets).toEqual([`instance orders of RDS in ${region} (us-west-2a has its primary)`])
    expect(proxy.calls.find(({ name }) => name === 'rds RebootDBInstance')?.body).toContain('ForceFailover=true')
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(proxy.count('rds RebootDBInstance')).toBe(1)
  })

  test('a reboot after which the primary is where it was is no fault', async () => {
    await using folder = await chaosFolder()
    // What moto does by itself.
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    await expect(guard.inject(failover({ instance: 'orders' }), 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'orders has not failed over in time',
    })
  })

  test('what has no standby, is not there, or may not be told is refused', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path)
    await using proxy = await proxyTo(moto.url)
    const refused = async (what: object, message: string) =>
      await expect(guard.inject(failover(what), 60_000, never)).rejects.toMatchObject({
        code: 'fault-refused',
        message: expect.stringContaining(message) as string,
      })
    await refused({ instance: 'alone' }, 'alone has no standby')
    await refused({ instance: 'shop-1' }, 'shop-1 belongs to the cluster shop')
    await refused({ instance: 'nowhere' }, 'there is no database instance nowhere')
    await refused({ cluster: 'lonely' }, 'lonely has no reader')
    await refused({ cluster: 'shop', to: 'lonely-1' }, 'lonely-1 is no reader of shop')
    await refused({ cluster: 'nowhere' }, 'there is no cluster nowhere')
    proxy.rules = { after: (_, told) => told.replaceAll('<IsClusterWriter>true<', '<IsClusterWriter>false<') }
    await expect(guard.inject(failover({ cluster: 'shop' }, proxy.url), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('shop has no writer at the moment') as string,
    })
    expect(() => failover({})).toThrow('expected either an instance or a cluster')
    expect(() => failover({ instance: 'orders', to: 'shop-1' })).toThrow('only a cluster has readers')
    proxy.rules = {
      before: ({ name }) =>
        name === 'rds FailoverDBCluster' ? { status: 403, body: queryError('AccessDenied', 'not you') } : undefined,
    }
    await expect(guard.inject(failover({ cluster: 'shop' }, proxy.url), 60_000, never)).rejects.toMatchObject({
      code: 'fault-failed',
      message: expect.stringContaining('rds:FailoverDBCluster') as string,
    })
  })
})
